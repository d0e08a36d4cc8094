/** The core, driven with scripted tool results. */
import { readFinal } from '@cadre/agents';
import { Plan } from '@cadre/contracts';
import { respond, type Reply } from './respond.js';
import { ChatRequest } from './wire/request.js';

const CATALOGUE = [
  { name: 'data-analyst', description: 'A', skills: ['data-analysis', 'visualization'] },
  { name: 'code-writer', description: 'A', skills: ['code-generation'] },
  { name: 'test-writer', description: 'A', skills: ['testing'] },
  { name: 'documentation-writer', description: 'A', skills: ['documentation'] },
  { name: 'code-reviewer', description: 'A', skills: ['code-review'] },
  { name: 'generalist', description: 'A', skills: ['planning', 'synthesis', 'general'] },
];

const tokens = (text: string): number => Math.ceil(text.length / 4);

interface Setting {
  kind?: string;
  agent?: string;
  goal?: string;
  inputs?: string[];
  results?: object[];
  catalogue?: object[];
  tools?: string[];
  maxTokens?: number;
  instructions?: string;
}

/** A conversation that goes on as the agent loop would. */
class Talk {
  readonly messages: object[];
  readonly asked: { name: string; args: Record<string, unknown> }[] = [];

  constructor(private readonly setting: Setting) {
    const { kind = 'work', agent = 'generalist', goal = 'Do it', inputs = [], results = [], catalogue, instructions = 'T.' } = setting;
    const brief = {
      kind,
      agent,
      goal,
      task: { id: 't', title: 'T', instructions },
      inputs: inputs.map((name) => ({ name, size: 1, mediaType: 'text/plain' })),
      results,
      ...(catalogue && { catalogue }),
    };
    this.messages = [
      { role: 'system', content: 'You are an agent.' },
      { role: 'user', content: JSON.stringify(brief) },
    ];
  }

  request(): ChatRequest {
    const { tools = [], maxTokens } = this.setting;
    return ChatRequest.parse({
      model: 'cadre-sim-1',
      messages: this.messages,
      ...(tools.length > 0 && { tools: tools.map((name) => ({ type: 'function', function: { name } })) }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    });
  }

  next(): Reply {
    return respond(this.request(), tokens);
  }

  /** Answers the tool calls until the final message. @param answer the result of a call */
  finish(answer: (name: string, args: Record<string, unknown>) => unknown): Record<string, unknown> {
    for (let step = 0; step < 24; step += 1) {
      const { text, toolCalls } = this.next();
      if (toolCalls.length === 0) return JSON.parse(text) as Record<string, unknown>;
      this.messages.push({
        role: 'assistant',
        content: text,
        tool_calls: toolCalls.map(({ id, name, arguments: args }) => ({ id, type: 'function', function: { name, arguments: args } })),
      });
      for (const { id, name, arguments: args } of toolCalls) {
        const parsed = JSON.parse(args) as Record<string, unknown>;
        this.asked.push({ name, args: parsed });
        this.messages.push({ role: 'tool', tool_call_id: id, content: JSON.stringify(answer(name, parsed)) });
      }
    }
    throw new Error('no end within 24 steps');
  }

  repair(): void {
    this.messages.push({ role: 'assistant', content: 'x' }, { role: 'user', content: '{"repair":"not JSON"}' });
  }
}

function planOf(goal: string, inputs: string[], catalogue: object[] | undefined = CATALOGUE): Plan {
  const { text } = new Talk({ kind: 'plan', goal, inputs, catalogue }).next();
  const reading = readFinal(text, { kind: 'plan', form: 'json', catalogue: catalogue as typeof CATALOGUE });
  if (!reading.ok) throw new Error(reading.why);
  return reading.reply.plan?.plan ?? Plan.parse({});
}

const shape = (plan: Plan): string[] => plan.tasks.map(({ id, dependsOn }) => `${id}<${dependsOn.join('+')}`);

describe('planner', () => {
  test.each([
    [
      'Analyze the weather data, generate report code, write tests, and document the API',
      ['w.csv'],
      ['analyze<', 'code<analyze', 'test<code', 'docs<code', 'review<code+test'],
    ],
    ['What does this file say?', ['w.parquet'], ['work<']],
    ['Analyze the data and chart it', ['a.json', 'b.tsv'], ['collect<', 'analyze<collect', 'report<collect+analyze']],
    ['Write tests for the report', ['a.csv'], ['analyze<', 'code<analyze', 'test<code', 'review<code+test']],
    ['Document the columns', ['a.csv'], ['analyze<', 'docs<analyze']],
    [
      'develop authentication system',
      [],
      ['requirements<', 'design<requirements', 'implement<requirements+design', 'test<requirements+implement'],
    ],
    [
      'Build a REST API for users with tests, then document it',
      [],
      [
        ...['requirements<', 'design<requirements', 'implement<requirements+design', 'test<requirements+implement'],
        ...['docs<design+implement', 'review<implement+test'],
      ],
    ],
    ['Summarize the notes', ['notes.md'], ['work<']],
    ['Write a poem', [], ['outline<', 'draft<outline', 'revise<outline+draft']],
    ['???', [], ['work<']],
  ])('%s', (goal, inputs, expected) => {
    expect(shape(planOf(goal, inputs))).toEqual(expected);
  });

  test('names only skills of the catalogue', () => {
    const few = [{ name: 'generalist', description: 'A', skills: ['general'] }];
    for (const task of planOf('Analyze the data and write code', ['a.csv'], few).tasks) expect(task.skills).toEqual(['general']);
    for (const task of planOf('Analyze', ['a.csv'], [{ name: 'a', description: 'A', skills: ['odd'] }]).tasks)
      expect(task.skills).toEqual([]);
  });

  test('a very long goal makes a valid plan', () => {
    const { tasks } = planOf('Do something odd. '.repeat(900), []);
    expect(tasks.map(({ title }) => title.slice(0, 24))).toEqual(['Do something odd', 'the rest of the goal: Do']);
  });

  test('says before anybody begins what cannot be done, and what can', () => {
    const note = (goal: string, inputs: string[]): string => {
      const reply = JSON.parse(new Talk({ kind: 'plan', goal, inputs }).next().text) as { note: string };
      return reply.note;
    };
    expect(note('Analyze a.csv and translate it into Spanish', ['a.csv'])).toMatch(
      /This cannot be done without one: translate it into Spanish\. Without a language model Cadre can profile/,
    );
    expect(note('Analyze the data', ['a.csv'])).not.toContain('cannot');
  });
});

const ANALYST = ['list_files', 'read_file', 'write_file', 'profile_data', 'query_data', 'find_trends', 'find_anomalies', 'draw_chart'];
const LISTED = { files: [{ path: 'inputs/a.csv', size: 10, origin: 'input' }] };
const PROFILE = {
  file: 'inputs/a.csv',
  table: 'a',
  format: 'csv',
  rows: 3,
  columns: [
    { name: 'kind', type: 'text', nulls: 0, distinct: 2, top: [{ value: 'x', count: 2 }] },
    { name: 'value', type: 'number', nulls: 1, distinct: 2, min: 1, max: 2.5, mean: 1.75, stddev: 1.06, p25: 1.4, median: 1.75, p75: 2.1 },
  ],
  suggested: { measures: ['value'], dimensions: ['kind'] },
};

describe('tools that fail', () => {
  test('every tool but the profile failing still gives an honest report', () => {
    const talk = new Talk({ agent: 'data-analyst', inputs: ['a.csv'], tools: ANALYST });
    const final = talk.finish((name) =>
      name === 'list_files'
        ? LISTED
        : name === 'profile_data'
          ? PROFILE
          : name === 'write_file'
            ? { path: 'x', size: 1 }
            : { error: `no ${name}` },
    );
    expect(final).toMatchObject({ answer: expect.stringContaining('`value` ranges from 1 to 2.5, with mean 1.75') });
    const report = String(talk.asked.find(({ args }) => args['path'] === 'report.md')?.args['text']);
    expect(report).toContain('Not done: no find_anomalies');
    expect(report).toContain('was not drawn: no draw_chart');
  });

  test.each([
    ['errors', { error: 'no' }],
    ['nonsense', 'nonsense'],
    ['other shapes', { truncated: true, beginning: '{"x":' }],
    ['null', null],
  ])('a tool desk that only gives %s is no reason to fail', (_, result) => {
    for (const agent of CATALOGUE) {
      const talk = new Talk({
        agent: agent.name,
        inputs: ['a.csv', 'b.md'],
        tools: [...ANALYST, 'check_types', 'run_tests', 'describe_api', 'static_checks'],
      });
      expect(talk.finish(() => result)).toMatchObject({ answer: expect.any(String), confidence: expect.any(Number) });
    }
  });

  test('only granted tools are asked for', () => {
    for (const agent of CATALOGUE) {
      const talk = new Talk({ agent: agent.name, inputs: ['a.csv'], tools: ['list_files'] });
      talk.finish(() => LISTED);
      expect(talk.asked.every(({ name }) => name === 'list_files')).toBe(true);
    }
  });

  test('a file that cannot be written is told', () => {
    const talk = new Talk({ agent: 'data-analyst', inputs: ['a.csv'], tools: ANALYST });
    const final = talk.finish((name) => (name === 'list_files' ? LISTED : name === 'profile_data' ? PROFILE : { error: 'disk full' }));
    expect(final['answer']).toMatch(/Not written: report\.md: disk full/);
  });

  test('a chart that fails is tried once more in a simpler way', () => {
    const talk = new Talk({ agent: 'data-analyst', inputs: ['a.csv'], tools: ANALYST });
    talk.finish((name, args) => {
      if (name === 'list_files') return LISTED;
      if (name === 'profile_data') return PROFILE;
      if (name === 'draw_chart') return args['kind'] === 'histogram' ? { error: 'no' } : { path: args['path'], size: 1, points: 1 };
      return name === 'write_file' ? { path: 'x', size: 1 } : { error: 'no' };
    });
    const charts = talk.asked.filter(({ name }) => name === 'draw_chart').map(({ args }) => args['kind']);
    expect(charts).toEqual(['histogram', 'bar']);
  });
});

describe('replies', () => {
  test('calls that do not fit into one reply come in later ones', () => {
    const talk = new Talk({ agent: 'data-analyst', inputs: ['a.csv'], tools: ANALYST, maxTokens: 1500 });
    const sizes: number[] = [];
    talk.finish((name) => {
      sizes.push(tokens(talk.next().text));
      return name === 'list_files'
        ? LISTED
        : name === 'profile_data'
          ? PROFILE
          : name === 'write_file'
            ? { path: 'x', size: 1 }
            : { error: 'no' };
    });
    const written = talk.asked.filter(({ name }) => name === 'write_file').map(({ args }) => args['path']);
    expect(written).toEqual(['report.md', 'data/profile.json']);
    for (const { args } of talk.asked) expect(tokens(JSON.stringify(args))).toBeLessThan(1500);
  });

  test('a call without its result is asked for again, under a new id', () => {
    const talk = new Talk({ agent: 'data-analyst', inputs: ['a.csv'], tools: ANALYST });
    expect(talk.next().toolCalls).toEqual([{ id: 'call_1', name: 'list_files', arguments: '{}' }]);
    talk.messages.push({
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'list_files', arguments: '{}' } }],
    });
    expect(talk.next().toolCalls).toEqual([{ id: 'call_2', name: 'list_files', arguments: '{}' }]);
  });

  test('after one repair the same again, after two the plainest form', () => {
    const talk = new Talk({ kind: 'answer', results: [{ taskId: 'a', title: 'A', status: 'completed', answer: 'It is so.' }] });
    const first = talk.next().text;
    talk.repair();
    expect(talk.next().text).toBe(first);
    talk.repair();
    expect(JSON.parse(talk.next().text)).toEqual({ answer: expect.stringContaining('could not be given'), confidence: 0.1 });
    const plan = new Talk({ kind: 'plan', goal: 'G' });
    plan.repair();
    plan.repair();
    expect(readFinal(plan.next().text, { kind: 'plan', form: 'json' }).ok).toBe(true);
  });

  test('an agent of another name is known by its tools', () => {
    const talk = new Talk({ agent: 'my-analyst', inputs: ['a.csv'], tools: ANALYST });
    talk.finish((name) => (name === 'list_files' ? LISTED : name === 'profile_data' ? PROFILE : { error: 'no' }));
    expect(talk.asked.map(({ name }) => name)).toContain('find_anomalies');
  });

  test('whoever is no agent is told what this is', () => {
    const request = ChatRequest.parse({ model: 'cadre-sim-1', messages: [{ role: 'user', content: 'Hello there' }] });
    expect(respond(request, tokens).text).toContain('not a language model');
  });
});

describe('coordinator', () => {
  const part = (task: string, status: string, answer?: string) => ({
    ...{ task, status, agent: 'a', artifacts: [], confidence: 0.6 },
    ...(answer === undefined ? { error: 'too hard' } : { answer }),
  });
  const setting = { agent: 'coordinator', tools: ['delegate'], inputs: ['w.csv'] };

  test('gives the listed parts to those who can, gives what failed again, and puts it together', () => {
    const talk = new Talk({ ...setting, instructions: 'Do this:\n- Analyze the trend\n- Write a greeting' });
    const rounds = [
      { results: [part('part1', 'completed', 'It rises.'), part('part2', 'failed')] },
      { results: [part('part2', 'completed', 'Hello.')] },
    ];
    const { answer, confidence } = talk.finish(() => rounds.shift());
    expect(talk.asked.map(({ args }) => args['tasks'])).toEqual([
      [
        { id: 'part1', instructions: 'Analyze the trend', skills: ['data-analysis'] },
        { id: 'part2', instructions: 'Write a greeting', skills: ['general'] },
      ],
      [{ id: 'part2', instructions: 'Write a greeting', skills: ['general'] }],
    ]);
    expect(answer).toMatch(/^2 of 2 parts done by others\.[\s\S]*It rises\.[\s\S]*Hello\./);
    expect(confidence).toBe(0.6);
  });

  test('says what could not be done, and why', () => {
    const failing = new Talk(setting).finish(() => ({ results: [part('part1', 'failed')] }));
    expect(failing).toMatchObject({ answer: expect.stringContaining('Not done (failed): too hard'), confidence: 0.2 });
    expect(new Talk(setting).finish(() => ({ error: 'no more than 8 deep' }))['answer']).toContain('no more than 8 deep');
  });
});

describe('synthesizer', () => {
  const done = {
    taskId: 'a',
    title: 'Analyze',
    agent: 'data-analyst',
    status: 'completed',
    answer: '### Main findings\n\n- 3 rows.',
    confidence: 0.9,
    artifacts: ['report.md'],
  };

  test('puts results, artifacts and failures together', () => {
    const failed = { taskId: 'b', title: 'Write tests', status: 'failed', artifacts: [], error: 'time-limit: too slow' };
    const { answer, confidence } = JSON.parse(new Talk({ kind: 'answer', goal: 'G', results: [done, failed] }).next().text) as {
      answer: string;
      confidence: number;
    };
    expect(answer).toMatch(/^# G\n\n\*\*Partial result\*\*: 1 of 2 tasks completed\./);
    expect(answer).toContain('- 3 rows.');
    expect(answer).toContain('- Write tests (failed): time-limit: too slow');
    expect(answer).toContain('- Analyze: `report.md`');
    expect(confidence).toBe(0.5);
  });

  test('stays short', () => {
    const long = { ...done, answer: Array.from({ length: 300 }, (_, i) => `- line ${i}`).join('\n') };
    const { answer } = JSON.parse(
      new Talk({ kind: 'answer', results: [long, { ...long, taskId: 'b', agent: 'x', title: 'B' }] }).next().text,
    ) as { answer: string };
    expect(answer.split('\n').length).toBeLessThan(45);
  });

  test('without any result says so', () => {
    expect(new Talk({ kind: 'answer', results: [] }).next().text).toContain('No task produced a result');
  });
});

describe('thoughts', () => {
  const asked = (properties: object, ...more: object[]) => {
    const talk = new Talk({ kind: 'answer', results: [{ taskId: 'a', title: 'A', answer: 'It rains.', confidence: 0.9 }] });
    talk.messages.push(...more);
    const response_format = { type: 'json_schema', json_schema: { name: 'reply', schema: { type: 'object', properties } } };
    return JSON.parse(respond(ChatRequest.parse({ ...talk.request(), response_format }), tokens).text) as Record<string, unknown>;
  };

  test('are told to those who have a place for them, beside the same answer', () => {
    const { thinking: none, ...plain } = asked({ answer: {} });
    const { thinking, ...rest } = asked({ thinking: {}, answer: {} });
    expect([none, rest]).toEqual([undefined, plain]);
    expect(thinking).toEqual({ steps: ['The task is "T".', 'At hand are 0 input files and 1 earlier results.'] });
  });

  test('of a review say so, and the answer stays', () => {
    const review = [
      { role: 'assistant', content: '{}' },
      { role: 'user', content: '{"review":"Look again."}' },
    ];
    const { thinking, ...rest } = asked({ thinking: {} }, ...review);
    expect(thinking).toMatchObject({ reflection: expect.stringContaining('nothing to correct') });
    expect(rest).toEqual(asked({}));
  });
});

test('what is remembered is used by those who know how, and summed up when it is asked for', () => {
  const memory = {
    summary: 'Old.',
    messages: [
      { task: 'a', asked: 'q' },
      { task: 'a', answered: '{"noted":"The sea.","before":[]}' },
    ],
  };
  const told = (agent: string, message: object) => {
    const talk = new Talk({ agent, instructions: 'The sky.' });
    talk.messages.splice(1, 0, { role: 'user', content: JSON.stringify(message) });
    return readFinal(respond(talk.request(), tokens).text, { kind: 'work', form: 'json' });
  };
  const reading = told('diarist', { memory });
  expect(reading.ok && JSON.parse(reading.reply.answer)).toEqual({ noted: 'The sky.', before: ['Old.', 'The sea.'] });
  expect(told('generalist', { memory })).toMatchObject({ ok: true });
  const asked = { model: 'm', messages: [{ role: 'user', content: JSON.stringify({ summarise: { agent: 'x', ...memory } }) }] };
  expect(respond(ChatRequest.parse(asked), tokens)).toEqual({ text: 'Old. The sea.', toolCalls: [] });
  asked.messages[0]!.content = JSON.stringify({ summarise: { messages: [{ task: 'a', answered: 'Plain words.' }] } });
  expect(respond(ChatRequest.parse(asked), tokens).text).toBe('Plain words.');
});
