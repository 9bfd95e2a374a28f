import { it } from 'vitest';
import { fuzz } from '../fuzz/fuzz.js';
it('x', () => {
  for (const packets of [500, 2000, 5000]) {
  const t = performance.now();
  const r = fuzz({ packets, seed: 1 });
  console.log(packets, performance.now() - t, r.findings.map((f) => f.what));
  }
}, 200_000);
