import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promtool } from './promtool.ts';
import { committed, metricsWith, offering, pushed, pushFailed } from './scraped.ts';

test("Prometheus' own promtool finds nothing to say against our metrics", async () => {
  const row = { resource: 'pods', objects: 5, changed: 2, held: 1, leftOut: new Map([['it is owned by "x"', 3]]) };
  const { metrics, vitals } = metricsWith({ tally: { all: () => [row] } });
  vitals.offer(
    offering({
      gaps: () => [{ resource: 'secrets', code: 'RESOURCE_FORBIDDEN' }],
      unpushed: () => [{ repository: 'shop', ageMs: 5 }],
      held: () => [{ repository: 'office', deletions: 40 }],
    }),
  );
  for (const outcome of [committed('shop', 'a'), pushed('shop', 'a'), pushFailed('office')]) metrics.observe(outcome);
  metrics.lag(3);
  assert.deepEqual(await promtool(['check', 'metrics'], await metrics.render()), { code: 0, text: '' });
});

test('promtool would have found a name against the rules', async () => {
  const wrong = '# HELP shop_total A gauge.\n# TYPE shop_total gauge\nshop_total 1\n';
  const judged = await promtool(['check', 'metrics'], wrong);
  assert.notEqual(judged.code, 0);
  assert.match(judged.text, /shop_total/);
});
