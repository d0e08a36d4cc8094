/** The tasks that templates are put together from. */
import { SKILLS, TaskSpec } from '@cadre/contracts';
import type { TaskId, TaskSpecInput } from '@cadre/contracts';

type Part = Omit<TaskSpecInput, 'id' | 'dependsOn'>;
export type TemplateTask = Part & { id: TaskId };

/** Lets a task follow others; those that the plan does not have are left out. */
export function after(task: TemplateTask, dependsOn: readonly (TaskId | undefined)[]): TaskSpec {
  return TaskSpec.parse({ ...task, dependsOn: dependsOn.filter((id) => id !== undefined) });
}

function dataSkills(hasData: boolean): string[] {
  return hasData ? [SKILLS.dataAnalysis] : [SKILLS.general];
}

const WITHOUT_DATA = ' No data file came with the goal: work from the goal itself, name every assumption, and do not invent figures.';

export function collectTask(hasData: boolean): TemplateTask {
  return {
    id: 'collect',
    title: 'Collect the data',
    instructions: hasData
      ? 'Read every input file. Say what each table holds: rows, columns with their types, ranges and missing values, and the period covered. ' +
        'Point out what limits the use of the data.'
      : 'Gather what is known about the subject of the goal: the question, the terms, what would have to be measured.' + WITHOUT_DATA,
    skills: dataSkills(hasData),
    priority: 'high',
    estimatedMs: 5000,
  };
}

/** @param reports whether this task also writes the report, or a later one does */
export function analyzeTask(hasData: boolean, reports: boolean): TemplateTask {
  return {
    id: 'analyze',
    title: 'Analyze the data',
    instructions: hasData
      ? 'Analyze the input files with the goal in mind: summary statistics, comparisons between groups, trends over time where there is a time, ' +
        'correlations, anomalies. Give figures computed from the whole data, not from a sample, and say how each was computed. Write ' +
        (reports
          ? 'report.md, data/profile.json and at least one chart under charts/.'
          : 'data/profile.json and at least one chart under charts/.')
      : 'Answer the questions in the goal step by step, and say how sure each answer is.' + WITHOUT_DATA,
    skills: dataSkills(hasData),
    priority: 'high',
    estimatedMs: 10_000,
  };
}

export function reportTask(hasData: boolean): TemplateTask {
  return {
    id: 'report',
    title: 'Write the report',
    instructions:
      'Write report.md: what was asked, the main findings with their figures, how they were obtained, and what they do not show. ' +
      (hasData
        ? 'Use the results of the earlier tasks, check each figure against the data, and include a chart.'
        : 'Use the results of the earlier tasks.'),
    skills: hasData ? [SKILLS.dataAnalysis, SKILLS.visualization] : [SKILLS.general],
    priority: 'medium',
    estimatedMs: 8000,
  };
}

export function requirementsTask(): TemplateTask {
  return {
    id: 'requirements',
    title: 'Write down the requirements',
    instructions:
      'List what the result has to do, as short statements that can be tested: inputs, outputs, errors, limits. Separate what the goal says from what you assume.',
    skills: [SKILLS.general],
    priority: 'high',
    estimatedMs: 5000,
  };
}

export function designTask(): TemplateTask {
  return {
    id: 'design',
    title: 'Design the solution',
    instructions:
      'From the requirements, design modules and their exported functions with types, the data that flows between them, and how errors are reported. Choose the simplest design that meets the requirements.',
    skills: [SKILLS.general],
    priority: 'high',
    estimatedMs: 5000,
  };
}

/** What code is for, as a sentence. */
export const DATA_CODE =
  'Write the code that the goal asks for; where it is about the data, it recomputes the figures of the analysis from the data.';
export const ANY_CODE = 'Write the code that the goal asks for.';

export function codeTask(id: TaskId, purpose: string): TemplateTask {
  return {
    id,
    title: 'Write the code',
    instructions: `${purpose} Write TypeScript modules under src/ without dependencies, with exported, documented functions, and check their types. Handle missing and malformed input.`,
    skills: [SKILLS.codeGeneration],
    priority: 'high',
    estimatedMs: 10_000,
  };
}

export function testsTask(hasCode: boolean): TemplateTask {
  return {
    id: 'test',
    title: 'Write and run the tests',
    instructions: hasCode
      ? 'Write tests under test/ for every exported function of the code from the earlier tasks: normal use, edges and errors. Run them and report how many passed and failed; explain each failure.'
      : 'Write tests under test/ for what the goal describes or the inputs hold, run them, and report how many passed and failed; explain each failure.',
    skills: [SKILLS.testing],
    priority: 'medium',
    estimatedMs: 10_000,
  };
}

export function docsTask(hasCode: boolean): TemplateTask {
  return {
    id: 'docs',
    title: 'Write the documentation',
    instructions: hasCode
      ? 'Write docs/API.md for the code from the earlier tasks: what it is for, each exported function with its parameters, result and errors, and an example that works.'
      : 'Write the documentation that the goal asks for, from the goal and the inputs, with an example for each main use.',
    skills: [SKILLS.documentation],
    priority: 'medium',
    estimatedMs: 8000,
  };
}

export function reviewTask(hasCode: boolean): TemplateTask {
  return {
    id: 'review',
    title: 'Review the results',
    instructions: hasCode
      ? 'Review the code and its tests from the earlier tasks: faults, missing cases, tests that failed. Write review.md with findings ordered by weight, each with file and line.'
      : 'Review what the goal and the inputs name. Write review.md with findings ordered by weight.',
    skills: [SKILLS.codeReview],
    require: 'settled',
    priority: 'low',
    estimatedMs: 8000,
  };
}

function generalTask(id: TaskId, title: string, instructions: string, estimatedMs: number): TemplateTask {
  return { id, title, instructions, skills: [SKILLS.general], priority: 'medium', estimatedMs };
}

export function sourcesTask(): TemplateTask {
  return generalTask(
    'collect',
    'Collect what is known',
    'Gather what the inputs, and what you reliably know, say about the question of the goal, with its source for each statement. Say what could not be looked up.',
    8000,
  );
}

export function assessTask(): TemplateTask {
  return generalTask(
    'assess',
    'Weigh the evidence',
    'Weigh what was collected: what agrees, what contradicts, how reliable each source is, and what remains open.',
    8000,
  );
}

export function findingsTask(): TemplateTask {
  return generalTask(
    'report',
    'Write up the findings',
    'Answer the question of the goal from the weighed evidence, with the sources, how sure each statement is, and what is not known.',
    8000,
  );
}

export function outlineTask(): TemplateTask {
  return generalTask(
    'outline',
    'Outline the text',
    'Settle who the text is for and what it has to say, and outline it part by part.',
    4000,
  );
}

export function draftTask(): TemplateTask {
  return generalTask(
    'draft',
    'Write the draft',
    'Write the whole text after the outline, in the form and length that the goal asks for.',
    10_000,
  );
}

export function reviseTask(): TemplateTask {
  return generalTask('revise', 'Revise the text', 'Check the draft against the goal, correct it, and deliver the final text.', 6000);
}

/** @param text the part of the goal, in its own words */
export function partTask(id: TaskId, text: string): TemplateTask {
  const title = text.length > 110 ? `${text.slice(0, 109).toWellFormed()}…` : text;
  const instructions = `Do this part of the goal: ${text}\nUse the results of earlier tasks where there are some. Say what you based it on, and what you could not do.`;
  return generalTask(id, title, instructions, 8000);
}

/** @param skill what the one task takes */
export function wholeTask(skill: string): TemplateTask {
  return {
    id: 'work',
    title: 'Work on the goal',
    instructions: 'Do what the goal asks, from the goal and the inputs. Say what you based each statement on, and what you could not do.',
    skills: [skill],
    priority: 'medium',
    estimatedMs: 10_000,
  };
}
