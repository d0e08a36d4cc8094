/** For specs: small files that goals come with. */
const REGIONS = ['North', 'South', 'East', 'West'];
const PRODUCTS = ['Tea', 'Coffee', 'Cocoa'];

function salesRows(): string[] {
  return Array.from({ length: 48 }, (_, n) => {
    const month = String(Math.floor(n / 4) + 1).padStart(2, '0');
    const units = 20 + n + (n % 4) * 5;
    return `2024-${month}-15,${REGIONS[n % 4]},${PRODUCTS[n % 3]},${units},${(units * 9.5).toFixed(2)}`;
  });
}

function customerRows(): string[] {
  return Array.from({ length: 40 }, (_, n) => {
    const plan = ['free', 'basic', 'pro'][n % 3];
    return `${n + 1},2023-${String((n % 12) + 1).padStart(2, '0')}-01,${plan},${20 + ((n * 7) % 45)},${n % 3 === 0 ? 0 : 10 + (n % 9)}`;
  });
}

const SENTENCES = [
  'The harbour office closes its old pier at the end of the month, because the harbour needs room for larger ships.',
  'Larger ships bring more goods, and more goods bring more trucks to the streets around the harbour.',
  'The council of the town has asked the harbour office for a plan that keeps the trucks away from the school.',
  'Nobody has yet said what the plan of the harbour office costs, or who pays for it.',
];

/** By name. */
export const GOAL_FILES: Record<string, string> = {
  'sales.csv': ['date,region,product,units,revenue', ...salesRows(), ''].join('\n'),
  'customers.csv': ['customer_id,signup_date,plan,age,monthly_spend', ...customerRows(), ''].join('\n'),
  'notes.md': `# Harbour\n\n${SENTENCES.join(' ')}\n\n## Next\n\nAsk the council again in May.\n`,
  'letter.txt': `Dear neighbours,\n\n${SENTENCES.join('\n')}\n`,
};
