import {
  type Candidate,
  decide,
  type Lesson,
  learn,
  type Move,
  newCandidate,
  resign,
} from '../../controller/core/election.ts';
import type { LeaseRecord } from '../../controller/core/ports.ts';

/** Candidates, one Lease and a network between them, event by event in simulated time, with all that can go wrong on the way. */

/** What becomes of a request. Milliseconds. */
export interface Fate {
  readonly fate: 'answered' | 'request lost' | 'answer lost' | 'server error';
  readonly requestMs: number;
  readonly answerMs: number;
}

export interface Happening {
  readonly at: number;
  readonly who: number;
  /** A stop gives the Lease back; who crashed or stopped comes again after `ms`, under a new name. */
  readonly what: 'pause' | 'crash' | 'stop';
  readonly ms: number;
}

export interface Plan {
  /** Clocks begin anywhere and run at their own speed. */
  readonly candidates: readonly { readonly startMs: number; readonly clock: number; readonly speed: number }[];
  /** Taken in turn, over and over, until `calmAt`; after that nothing goes wrong any more. */
  readonly fates: readonly Fate[];
  readonly happenings: readonly Happening[];
  readonly calmAt: number;
  readonly endAt: number;
}

/** From when to when a candidate could act as the leader. */
export interface Belief {
  readonly identity: string;
  readonly epoch: number;
  readonly from: number;
  to: number;
}

const CALM: Fate = { fate: 'answered', requestMs: 5, answerMs: 5 };
const DEADLINE_MS = 5_000;

export function play(plan: Plan): readonly Belief[] {
  return new World(plan).play();
}

interface Process {
  readonly index: number;
  candidate: Candidate;
  pausedUntil: number;
  /** Answers to an earlier life or an abandoned request are nobody's. */
  asked: number;
  isGone: boolean;
  belief: Belief | undefined;
}

class World {
  readonly #plan: Plan;
  readonly #beliefs: Belief[] = [];
  readonly #events: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  readonly #processes: Process[];
  #lease: LeaseRecord | undefined;
  #version = 0;
  #fates = 0;
  #births = 0;
  #now = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#processes = plan.candidates.map((_, index) => this.#bear(index));
    for (const process of this.#processes) {
      this.#at(this.#traitsOf(process).startMs, () => this.#act(process));
    }
    for (const each of plan.happenings) this.#at(each.at, () => this.#happen(each));
  }

  play(): readonly Belief[] {
    for (;;) {
      const next = this.#events.shift();
      if (next === undefined || next.at > this.#plan.endAt) return this.#beliefs;
      this.#now = next.at;
      next.run();
    }
  }

  #at(at: number, run: () => void): void {
    const event = { at, order: this.#version++, run };
    const place = this.#events.findIndex((other) => other.at > at);
    this.#events.splice(place < 0 ? this.#events.length : place, 0, event);
  }

  #bear(index: number): Process {
    const candidate = newCandidate(`${index}#${this.#births++}`);
    return { index, candidate, pausedUntil: 0, asked: 0, isGone: false, belief: undefined };
  }

  #traitsOf({ index }: Process): Plan['candidates'][number] {
    return this.#plan.candidates[index] as Plan['candidates'][number];
  }

  #clock(process: Process): number {
    const { clock, speed } = this.#traitsOf(process);
    return clock + this.#now * speed;
  }

  /** Nothing runs in a paused process; all that came meanwhile runs when it wakes. */
  #in(process: Process, run: () => void): void {
    if (process.isGone) return;
    if (this.#now < process.pausedUntil) this.#at(process.pausedUntil, () => this.#in(process, run));
    else run();
  }

  #act(process: Process): void {
    this.#in(process, () => {
      const move = decide(process.candidate, this.#clock(process));
      if (move.do === 'wait') {
        const realMs = Math.max(1, move.ms / this.#traitsOf(process).speed);
        this.#at(this.#now + realMs, () => this.#act(process));
      }
      if (move.do === 'yield') this.#die(process, 0);
      if (move.do === 'read' || move.do === 'write') this.#ask(process, move);
    });
  }

  #ask(process: Process, move: Extract<Move, { do: 'read' | 'write' }>): void {
    const number = ++process.asked;
    const sentAt = this.#clock(process);
    const settle = (lesson: (at: number) => Lesson) =>
      this.#in(process, () => {
        if (process.asked !== number) return;
        process.asked++;
        this.#learn(process, lesson(this.#clock(process)));
        this.#act(process);
      });
    this.#at(this.#now + DEADLINE_MS, () => settle((at) => ({ type: 'failed', at })));
    this.#send(
      () => (move.do === 'read' ? { record: this.#lease } : this.#write(move)),
      (answer) =>
        settle((at) => {
          if (answer === undefined) return { type: 'failed', at };
          if (move.do === 'read') return { type: 'read', record: answer.record, at };
          return answer.record === undefined
            ? { type: 'refused', at }
            : { type: 'written', record: answer.record, sentAt, at };
        }),
    );
  }

  /** An error of the server leaves open whether it did what it was asked. */
  #send<T>(serve: () => T, answered: (answer: T | undefined) => void): void {
    const { fates, calmAt } = this.#plan;
    const fate = this.#now >= calmAt ? CALM : (fates[this.#fates++ % fates.length] as Fate);
    if (fate.fate === 'request lost') return;
    this.#at(this.#now + fate.requestMs, () => {
      const answer = serve();
      if (fate.fate === 'answer lost') return;
      this.#at(this.#now + fate.answerMs, () => answered(fate.fate === 'server error' ? undefined : answer));
    });
  }

  #write({ next, over }: Extract<Move, { do: 'write' }>): { readonly record: LeaseRecord | undefined } {
    if (over?.resourceVersion !== this.#lease?.resourceVersion) return { record: undefined };
    this.#lease = { ...next, resourceVersion: String(++this.#version) };
    return { record: this.#lease };
  }

  #learn(process: Process, lesson: Lesson): void {
    process.candidate = learn(process.candidate, lesson, (this.#version % 100) / 100);
    if (process.candidate.term === undefined) this.#endBelief(process);
    else if (lesson.type === 'written') this.#believe(process, process.candidate.term);
  }

  #believe(process: Process, term: { readonly epoch: number; readonly until: number }): void {
    const { clock, speed } = this.#traitsOf(process);
    const to = (term.until - clock) / speed;
    // An answer that came too late begins nothing.
    if (to <= this.#now) return;
    if (process.belief !== undefined && process.belief.to >= this.#now) {
      process.belief.to = to;
      return;
    }
    process.belief = { identity: process.candidate.identity, epoch: term.epoch, from: this.#now, to };
    this.#beliefs.push(process.belief);
  }

  #endBelief(process: Process): void {
    if (process.belief !== undefined) process.belief.to = Math.min(process.belief.to, this.#now);
    process.belief = undefined;
  }

  #happen({ who, what, ms }: Happening): void {
    const process = this.#processes[who % this.#processes.length] as Process;
    if (process.isGone) return;
    if (what === 'pause') process.pausedUntil = Math.max(process.pausedUntil, this.#now + ms);
    else if (what === 'crash') this.#die(process, ms);
    else this.#in(process, () => this.#stop(process, ms));
  }

  /** As lead.ts does it: first nothing is believed any more, then the Lease is read, then given back. */
  #stop(process: Process, ms: number): void {
    const { identity } = process.candidate;
    process.candidate = resign(process.candidate);
    this.#die(process, ms);
    this.#send(
      () => this.#lease,
      (record) => {
        if (record?.holder !== identity) return;
        const next = { holder: '', durationSeconds: 1, transitions: record.transitions };
        this.#send(
          () => this.#write({ do: 'write', next, over: record }),
          () => undefined,
        );
      },
    );
  }

  #die(process: Process, ms: number): void {
    this.#endBelief(process);
    process.isGone = true;
    const born = this.#bear(process.index);
    this.#processes[process.index] = born;
    this.#at(this.#now + ms, () => this.#act(born));
  }
}
