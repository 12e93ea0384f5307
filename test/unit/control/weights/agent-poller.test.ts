/** The schedule of questions to agents, and what becomes of their answers. */
import { describe, expect, it } from 'vitest';
import { type AgentNews, AgentPoller } from '../../../../src/control/weights/agent-poller.js';
import type { AgentResponse, AgentTarget } from '../../../../src/control/weights/agent-question.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';
import { endpointPlan, upstreamPlan } from '../plans.js';

const upstream = {
  ...upstreamPlan([endpointPlan('10.0.0.1', 8080, 0)]),
  weights: { kind: 'agent', port: 9100, intervalMs: 1_000, timeoutMs: 200 },
} as const;

const says = (line: string): AgentResponse => ({ ok: true, line });
const SILENT: AgentResponse = { ok: false, reason: 'ECONNREFUSED' };

/** A poller whose agent gives these answers, the last one again and again. */
function pollerOf(answers: AgentResponse[], addresses = ['10.0.0.1:8080']) {
  const time = new FakeTime();
  const log = captureLog();
  const asked: (AgentTarget & { timeoutMs: number })[] = [];
  const news: AgentNews[] = [];
  const poller = new AgentPoller({
    ask: async (target, timeoutMs) => {
      asked.push({ ...target, timeoutMs });
      return answers.length > 1 ? answers.shift()! : answers[0]!;
    },
    clock: time,
    timers: time,
    rng: () => 0.5,
    addressesOf: () => addresses,
    publish: (_upstream, _endpoint, said) => news.push(said),
    logger: log.logger,
  });
  return { poller, time, log, asked, news };
}

describe('agent poller', () => {
  it('asks the agent on the endpoint’s host, once an interval', async () => {
    const { poller, time, asked } = pollerOf([says('up')]);
    poller.start([upstream]);
    await time.pass(499);
    expect(asked).toEqual([]);
    await time.pass(2_001);
    expect(asked).toEqual(Array(3).fill({ host: '10.0.0.1', port: 9100, timeoutMs: 200 }));
  });

  it('asks nobody of an upstream with other weights, and nobody without an address', async () => {
    const others = pollerOf([says('up')]);
    others.poller.start([{ ...upstream, weights: { kind: 'fixed' } }]);
    expect(others.time.pending).toBe(0);
    const unresolved = pollerOf([says('up')], []);
    unresolved.poller.start([upstream]);
    await unresolved.time.pass(5_000);
    expect(unresolved.asked).toEqual([]);
  });

  it('tries the addresses in turn', async () => {
    const { poller, time, asked, news } = pollerOf([SILENT, says('50%')], ['[fd00::1]:8080', '10.0.0.1:8080']);
    poller.start([upstream]);
    await time.pass(600);
    expect(asked.map(({ host }) => host)).toEqual(['fd00::1', '10.0.0.1']);
    expect(news).toEqual([{ share: 0.5 }]);
  });

  it('tells what is new, and only that', async () => {
    const answers = ['up ready', '50% maxconn:8', '50%', 'drain', 'drain 50%', 'down', 'up ready 100%'].map(says);
    const { poller, time, news } = pollerOf(answers);
    poller.start([upstream]);
    await time.pass(20_000);
    expect(news).toEqual([
      { share: 0.5, cap: 8 },
      { admission: 'drain' },
      { isDown: true },
      { isDown: false, admission: 'ready', share: 1 },
    ]);
  });

  it('takes 0 % for drain until another percentage comes', async () => {
    const { poller, time, news } = pollerOf(['50%', '0%', 'up', '0% maint', 'ready', '80%'].map(says));
    poller.start([upstream]);
    await time.pass(20_000);
    expect(news).toEqual([
      { share: 0.5 },
      { admission: 'drain' },
      { admission: 'maint' },
      { admission: 'drain' },
      { share: 0.8, admission: 'ready' },
    ]);
  });

  it('says once that an agent is silent, and that it answers again', async () => {
    const { poller, time, log, news } = pollerOf([says('50%'), SILENT, SILENT, SILENT, says('50%')]);
    poller.start([upstream]);
    await time.pass(10_000);
    expect(log.events()).toEqual(['agent-silent', 'agent-answers']);
    expect(log.records[0]).toMatchObject({ upstream: 'api', endpoint: '10.0.0.1:8080', reason: 'ECONNREFUSED' });
    expect(news).toEqual([{ share: 0.5 }]);
  });

  it('ignores what it does not understand, and says so once', async () => {
    const { poller, time, log, news } = pollerOf([says('50%'), says('10% please'), says('20% please'), says('70%')]);
    poller.start([upstream]);
    await time.pass(10_000);
    expect(log.events()).toEqual(['agent-not-understood', 'agent-answers']);
    expect(news).toEqual([{ share: 0.5 }, { share: 0.7 }]);
  });

  it('keeps what was said in another plan, but not for who joined', async () => {
    const { poller, time, news } = pollerOf([says('50%')]);
    poller.start([upstream]);
    await time.pass(600);
    poller.start([upstream]);
    await time.pass(600);
    expect(news).toEqual([{ share: 0.5 }]);
    poller.start([upstream], [0]);
    await time.pass(600);
    expect(news).toEqual([{ share: 0.5 }, { share: 0.5 }]);
  });

  it('stops when it is closed, also twice and with a question under way', async () => {
    const { poller, time, news } = pollerOf([says('50%')]);
    poller.start([upstream]);
    const passed = time.pass(500);
    poller.close();
    poller.close();
    await passed;
    await time.pass(5_000);
    expect([news, time.pending]).toEqual([[], 0]);
  });
});
