import fc from 'fast-check';
import { RecentTenants } from './recent-tenants.js';

test('whether there are others than a tenant is what a list of all that was heard says', () => {
  const heard = fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c', 'd'), at: fc.integer({ min: 0, max: 20 }) }));
  fc.assert(
    fc.property(heard, fc.integer({ min: 0, max: 20 }), (list, since) => {
      const recent = new RecentTenants();
      for (const { tenant, at } of list) recent.note(tenant, at);
      for (const tenant of ['a', 'b', 'c', 'd', 'e']) {
        const others = list.some((each) => each.tenant !== tenant && each.at >= since);
        expect(recent.anyBut(tenant, since)).toBe(others);
      }
    }),
  );
});
