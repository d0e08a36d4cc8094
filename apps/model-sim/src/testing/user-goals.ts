/** For specs: sixty goals as people of many trades and languages write them, stated before the rules that read goals. */
import type { TriedGoal } from './tried-goal.js';

const WITH_DATA: readonly TriedGoal[] = [
  { goal: 'Analyse sales.csv.', files: ['sales.csv'], missing: [] },
  { goal: 'Please explore the customer data and chart it', files: ['customers.csv'], missing: [] },
  { goal: 'Find unusual values in the sales figures', files: ['sales.csv'], missing: [] },
  { goal: 'What are the trends in revenue?', files: ['sales.csv'], missing: [] },
  { goal: 'Show me statistics of revenue and units by region', files: ['sales.csv'], missing: [] },
  { goal: 'Analyze sales.csv and write a report', files: ['sales.csv'], missing: [] },
  { goal: 'Analyze sales.csv and forecast next quarter', files: ['sales.csv'], missing: [/forecast/], done: [/analyze/i] },
  { goal: 'Analyze the data and email the result to my boss', files: ['sales.csv'], missing: [/email/], done: [/analyze the data/i] },
  {
    goal: 'Analyze the sales data, then translate the report into Spanish',
    files: ['sales.csv'],
    missing: [/Spanish/],
    done: [/sales data/],
  },
  { goal: 'Which customers are going to cancel their subscription, and why?', files: ['customers.csv'], missing: [/cancel/] },
  { goal: 'Compare revenue of 2024 with revenue of 2023', files: ['sales.csv'], missing: [/2023/] },
  { goal: 'Analyze orders.xlsx and identify outliers', files: ['sales.csv'], missing: [/orders\.xlsx/] },
  { goal: 'Join sales.csv with suppliers.csv and report the margin', files: ['sales.csv'], missing: [/suppliers\.csv/, /margin/] },
  { goal: 'Give me a PDF report on the sales', files: ['sales.csv'], missing: [/PDF/] },
  { goal: 'Write report code for the sales data in Python', files: ['sales.csv'], missing: [/in Python/] },
  { goal: 'Generate report code for sales.csv, write tests and run them', files: ['sales.csv'], missing: [] },
  { goal: 'Segment the customers by age and monthly_spend with k-means', files: ['customers.csv'], missing: [/k-means/] },
  { goal: 'Draw a heat map of churn', files: ['customers.csv'], missing: [/heat map/] },
  { goal: 'Analyze revenue, but leave out Cocoa', files: ['sales.csv'], missing: [/Cocoa/] },
  { goal: 'Check the data quality of customers.csv', files: ['customers.csv'], missing: [] },
];

const CODE: readonly TriedGoal[] = [
  { goal: 'Build a REST API for books and write tests', missing: [] },
  { goal: 'CRUD API for products, with tests and documentation', missing: [] },
  { goal: 'Build a REST API for invoices with authentication', missing: [], done: [/invoices/] },
  { goal: 'Build a REST API for invoices with login', missing: [] },
  { goal: 'Build a REST API for parcels with bearer tokens', missing: [] },
  { goal: 'Build a REST API for parcels with tokens and passwords', missing: [/passwords/], done: [/tokens/] },
  { goal: 'Build a REST API for users with registration, login and hashed passwords', missing: [] },
  { goal: 'Build a REST API for books without authentication and without tests', missing: [] },
  { goal: 'Crée une API REST de gestion de livres avec authentification', missing: [] },
  { goal: 'Build a REST API for orders with OAuth2 login via Google', missing: [/OAuth2/], done: [/orders/] },
  { goal: 'Build a REST API for tickets with pagination and rate limiting', missing: [/pagination/, /rate limiting/], done: [/tickets/] },
  { goal: 'Build a REST API for pets backed by PostgreSQL', missing: [/PostgreSQL/] },
  { goal: 'Build a REST API for users and deploy it to AWS', missing: [/deploy it to AWS/], done: [/for users/] },
  { goal: 'Write a todo app for mobile', missing: [/todo app/] },
  { goal: 'Implement quicksort in Rust', missing: [/quicksort/] },
  { goal: 'Refactor our payment service to use async/await', missing: [/payment service/] },
  { goal: 'Write a SQL query that finds duplicate emails', missing: [/SQL query/] },
  { goal: 'Create a landing page with a sign-up form', missing: [/landing page/] },
  { goal: 'Write unit tests', missing: [/unit tests/] },
  { goal: 'Review my code', missing: [/review my code/i] },
  { goal: 'Set up CI for the repository and add a Dockerfile', missing: [/CI/, /Dockerfile/] },
];

const WORDS: readonly TriedGoal[] = [
  { goal: 'How many words are in notes.md?', files: ['notes.md'], missing: [] },
  { goal: 'Summarize notes.md', files: ['notes.md'], missing: [/Summarize notes\.md/] },
  { goal: 'Summarize sales.csv', files: ['sales.csv'], missing: [] },
  { goal: 'Summarize the notes', files: ['notes.md', 'sales.csv'], missing: [/the notes/] },
  { goal: 'Summarize the notes in French', files: ['notes.md'], missing: [/in French/] },
  { goal: 'Summarize letter.txt in under 20 words', files: ['letter.txt'], missing: [/under 20 words/] },
  { goal: 'Translate letter.txt into German', files: ['letter.txt'], missing: [/German/] },
  { goal: 'Write a haiku about autumn', missing: [/haiku/] },
  { goal: "Write a cover letter for a nurse who applies to a children's hospital", missing: [/cover letter/] },
  { goal: 'Plan a three-day trip to Lisbon for a family with two kids on a budget of 900 euros', missing: [/Lisbon/] },
  { goal: 'Explain photosynthesis to a ten-year-old', missing: [/photosynthesis/] },
  { goal: 'What is the capital of Australia?', missing: [/capital of Australia/] },
  { goal: 'Proofread letter.txt and rewrite it politely', files: ['letter.txt'], missing: [/proofread/i, /politely/] },
  { goal: 'Extract all names and dates from notes.md as JSON', files: ['notes.md'], missing: [/names/] },
  {
    goal: '1. Draft a privacy policy\n2. Draft terms of service\n3. List the cookies that we set',
    missing: [/privacy policy/, /terms/, /cookies/],
  },
  { goal: 'Say hello', missing: [/hello/] },
];

const OTHER_LANGUAGES: readonly TriedGoal[] = [
  {
    goal: 'Analysiere die Verkaufsdaten und schreibe einen Bericht auf Deutsch',
    files: ['sales.csv'],
    missing: [/Deutsch/],
    done: [/Analysiere/],
  },
  { goal: 'Résume les notes en français', files: ['notes.md'], missing: [/français/] },
  { goal: 'Escribe un poema sobre el mar', missing: [/poema/] },
  { goal: '分析销售数据，并用中文写一份报告', files: ['sales.csv'], missing: [/中文/], done: [/分析/] },
  { goal: 'Проанализируй данные о продажах и напиши тесты', files: ['sales.csv'], missing: [/продажах/, /тесты/] },
  { goal: '売上データを分析して、グラフを作成してください', files: ['sales.csv'], missing: [/グラフ/] },
  { goal: 'Napisz API REST dla użytkowników z uwierzytelnianiem', missing: [/uwierzytelnianiem/] },
  { goal: 'اكتب ملخصا للملاحظات', files: ['notes.md'], missing: [/ملخصا/] },
  { goal: 'Skriv en rapport om försäljningen per region', files: ['sales.csv'], missing: [/rapport/] },
  { goal: 'Costruisci un sito web per la mia pizzeria', missing: [/pizzeria/] },
  { goal: '???', missing: [/\?\?\?/] },
];

export const USER_GOALS: readonly TriedGoal[] = [...WITH_DATA, ...CODE, ...WORDS, ...OTHER_LANGUAGES];
