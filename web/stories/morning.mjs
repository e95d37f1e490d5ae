// A morning at Harbour Plumbing, for whoever looks at the desk: stories of its looks, and the pictures in docs/.
import assert from 'node:assert/strict';
import { until } from './world.mjs';

export const ANN = '+12025550147';

async function api(world, path, body) {
  const token = (world.bearer ??= await world.token('ana'));
  const answer = await fetch(world.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
  return answer.json();
}

/** A morning at Harbour Plumbing. */
export async function furnish(world) {
  const people = [
    ['+13035550119', 'Omar Haddad', ['Is my car still blocking your drive?', 'The blue hatchback']],
    ['+14045550193', '', ['How much to replace a tap?']],
    ['+15125550108', 'Grace Lindqvist', ['I need to move my appointment on Tuesday', 'Any time Thursday after 3 works']],
    ['+16175550118', '', []],
    ['+17025550185', 'Wilhelmina Featherstonehaugh-Cholmondeley', ['https://example.com/a/very/long/link/that/does/not/break/anywhere/at/all/0123456789012345678901234567890123456789']],
    [ANN, 'Ann Ruiz', ['Hi, my kitchen sink is leaking under the cabinet', 'Ann Ruiz, 12 Elm Street. Today if you can']],
  ];
  for (const [from, name, said] of people) {
    await world.call(from, { name });
    for (const body of said) await world.text(from, body);
  }
  await world.text(ANN, 'This is what it looks like', { media: ['picture'] });
  const inbox = await until('everybody', async () => {
    const page = await api(world, '/v1/inbox');
    return page.rows.length === people.length && page.rows.find((row) => row.address === ANN)?.last_message?.media === 1 ? page : null;
  });
  const ann = inbox.rows.find((row) => row.address === ANN);
  const base = `/v1/conversations/${ann.conversation}`;
  await api(world, `${base}/notes`, { text: 'Knows us from last winter. Shut-off valve is behind the washing machine.' });
  await api(world, `${base}/messages`, { text: 'Thanks Ann. We can be there between 2 and 4 today. Does that work?' });
  await api(world, `${base}/tags`, { add: ['leak', 'today'] });
  await world.text(ANN, 'Perfect, see you then');
  const grace = inbox.rows.find((row) => row.name === 'Grace Lindqvist');
  await api(world, `/v1/conversations/${grace.conversation}/assign`, { operator: 'maria' });
  world.ann = ann.conversation;
}
