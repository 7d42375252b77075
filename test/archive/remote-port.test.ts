import { startGitServer } from '../remote/git-server.ts';
import { realPort } from './real-remotes.ts';
import { testRemotePort } from './remote-port-contract.ts';
import { ScriptedRemotes } from './scripted-remotes.ts';

testRemotePort('scripted', async () => {
  const port = new ScriptedRemotes();
  return {
    port,
    create: () => void port.create('shop'),
    refs: () => port.repositories.get('shop') ?? new Map(),
    hang: () => {
      port.fault = () => 'hang';
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});

testRemotePort('a real server', async () => {
  const server = await startGitServer();
  const port = realPort(server);
  return {
    port,
    create: () => void server.createRepository('ops/prod-shop'),
    refs: () => {
      const lines = server.git('ops/prod-shop', 'for-each-ref', '--format=%(refname) %(objectname)').trim().split('\n');
      return new Map(lines.filter((line) => line !== '').map((line) => line.split(' ') as [string, string]));
    },
    hang: () => void server.add({ do: 'hang' }),
    [Symbol.asyncDispose]: async () => {
      await port[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
});
