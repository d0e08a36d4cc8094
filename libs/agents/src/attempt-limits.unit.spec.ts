import { AttemptLimits } from './attempt-limits.js';

const call = (tokens: number) => ({ inputTokens: tokens - 10, outputTokens: 10 });

/** What is told before each call, until the limits are reached. */
function notices(limits: { maxSteps: number; maxTokens: number }, tokens: (step: number) => number, hasTools = true): string[] {
  const attempt = new AttemptLimits(limits, hasTools);
  const told: string[] = [];
  for (;;) {
    try {
      const text = attempt.next()?.text ?? '';
      told.push(text.includes('last message') ? 'last' : text.includes('near your limit') ? 'near' : '');
    } catch (error) {
      return [...told, (error as { code: string }).code];
    }
    attempt.steps += 1;
    attempt.took(call(tokens(attempt.steps)));
  }
}

test('a model is told when few calls are left, and that the last one is the last', () => {
  expect(notices({ maxSteps: 8, maxTokens: 1_000_000 }, () => 100)).toEqual(['', '', '', '', '', 'near', '', 'last', 'step-limit']);
});

test('short limits need no warning before the last call', () => {
  expect(notices({ maxSteps: 3, maxTokens: 1_000_000 }, () => 100)).toEqual(['', '', 'last', 'step-limit']);
  expect(notices({ maxSteps: 1, maxTokens: 1_000_000 }, () => 100)).toEqual(['', 'step-limit']);
});

test('the tokens that the next call takes at least are kept for the last answer', () => {
  const told = notices({ maxSteps: 100, maxTokens: 1000 }, (step) => 100 * step);
  expect(told).toEqual(['', '', '', 'last', 'token-limit']);
});

test('without tools there is nothing to wrap up', () => {
  expect(notices({ maxSteps: 3, maxTokens: 1_000_000 }, () => 100, false)).toEqual(['', '', '', 'step-limit']);
});

test('the last call passes no limit', () => {
  for (let maxTokens = 500; maxTokens < 5000; maxTokens += 137) {
    const attempt = new AttemptLimits({ maxSteps: 50, maxTokens }, true);
    while (!attempt.reached) {
      attempt.next();
      expect(attempt.left).toBeGreaterThan(0);
      attempt.steps += 1;
      attempt.took(call(300));
    }
    expect(attempt.tokens).toBeLessThan(maxTokens + 300);
  }
});
