import { filled } from './reliability-page.js';

const PAGE = 'before\n<!-- points -->\nold\n<!-- /points -->\nafter\n';

test('a section is replaced, what is around it stays', () => {
  expect(filled(PAGE, 'points', '| new |\n')).toBe('before\n<!-- points -->\n| new |\n<!-- /points -->\nafter\n');
});

test('a page without the section is refused', () => {
  expect(() => filled(PAGE, 'accidents', 'x')).toThrow(/no section/);
});
