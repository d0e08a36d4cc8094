/**
 * For specs: every quick start and example goal of the documents that Cadre was asked for by, and what becomes of each without a language
 * model.
 */
import type { TriedGoal } from './tried-goal.js';

const DEMO = 'Analyze the weather data, generate report code, write tests, and document the API';
const QUICK_START = 'Analyze sales data, generate report code, write tests, and document the API';
const USER_API = `
Build a REST API for user management with:
1. User CRUD operations
2. Authentication
3. Unit tests
4. API documentation
`;

export const SEED_GOALS: readonly TriedGoal[] = [
  { goal: DEMO, files: ['seattle-weather.csv'], missing: [] },
  { goal: QUICK_START, files: ['sales.csv'], missing: [] },
  { goal: QUICK_START, missing: [/analyze sales data/i, /report code/i, /tests/i, /document the API/i] },
  { goal: 'Analyze Q1 sales data and identify trends', missing: [/Q1 sales/, /identify trends/] },
  { goal: 'Analyze Q2 sales data and identify trends', missing: [/Q2 sales/, /identify trends/] },
  { goal: 'Analyze Q3 sales data and identify trends', missing: [/Q3 sales/, /identify trends/] },
  { goal: 'Analyze Q4 sales data and identify trends', files: ['sales.csv'], missing: [/Q4 sales/], done: [/identify trends/] },
  { goal: USER_API, missing: [] },
  { goal: 'Fix critical security bug', missing: [/security bug/] },
  { goal: 'analyze customer data trends', missing: [/customer data trends/] },
  { goal: 'analyze customer data trends', files: ['customers.csv'], missing: [] },
  { goal: 'develop authentication system', missing: [/authentication system/] },
  { goal: 'analyze sales data', missing: [/sales data/] },
  { goal: 'analyze sales data', files: ['sales.csv'], missing: [] },
  { goal: 'analyze customer satisfaction data', missing: [/customer satisfaction/] },
  {
    goal: `Analyze the implications of quantum computing on cryptography
- Evaluate current mitigation strategies
- Identify knowledge gaps`,
    missing: [/quantum computing/, /mitigation strategies/, /knowledge gaps/],
  },
  { goal: 'Research current market trends', missing: [/market trends/] },
  { goal: 'Analyze competitor strategies', missing: [/competitor strategies/] },
  { goal: 'Synthesize research into strategic recommendations', missing: [/strategic recommendations/] },
  { goal: 'Review and refine strategy', missing: [/refine strategy/] },
  { goal: 'Combine all document analyses', missing: [/document analyses/] },
  { goal: 'Clean and validate input data', files: ['sales.csv'], missing: [/clean/i] },
  { goal: 'Extract relevant features', files: ['sales.csv'], missing: [/features/] },
  { goal: 'Build predictive model', files: ['sales.csv'], missing: [/predictive model/] },
  { goal: 'Validate model performance', files: ['sales.csv'], missing: [/model performance/] },
  { goal: 'Generate final report', files: ['sales.csv'], missing: [] },
  { goal: 'Build consensus from expert opinions', missing: [/expert opinions/] },
  { goal: 'Provide opinion on: nuclear energy', missing: [/nuclear energy/] },
];
