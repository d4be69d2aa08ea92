/**
 * The folding rules as a list and a loop: what the judge must do, with no thought of speed, memory or restarts.
 * Written from the rules (docs/folding.md), it shares with the judge only the contracts; moments are BigInt here.
 */
import { type Event, type Identity, type Matcher, priorityRank, type Score, type VerdictCommand } from '@eyrie/schemas';

export interface ModelOptions {
  readonly windowMs: number;
  readonly graceMs: number;
  readonly intervalMs: number;
  readonly breakThroughs: number;
  readonly stormLimit: number;
  readonly stormMs: number;
  readonly dismissalMs: number;
  readonly duePerInput: number;
  readonly duePerEvent: number;
  readonly targetsMax: number;
  readonly onResolve: (rule: string) => 'restart' | 'continue';
  readonly score: (event: Event) => Score;
  readonly identify: (event: Event) => Identity | undefined;
  readonly hasInventory: () => boolean;
  readonly idOf: (event: Event) => string;
}

export interface ModelDocuments {
  readonly silences: readonly {
    tenant: string;
    id: string;
    matchers: readonly Matcher[];
    starts_at: number;
    ends_at: number;
  }[];
  readonly exceptions: readonly { tenant: string; id: string; matchers: readonly Matcher[]; expires_at: number }[];
}

interface ModelTarget {
  key: string;
  count: number;
  first: bigint;
  last: bigint;
  from?: string;
}

export interface ModelAlert {
  id: string;
  event: Event;
  fingerprint: string;
  version: number;
  state: 'open' | 'closed' | 'merged';
  into?: string;
  priority: number;
  techniques: string[];
  count: number;
  anchor: bigint;
  first: bigint;
  last: bigint;
  targets: ModelTarget[];
  more: number;
  users: string[];
  score: Score;
  identity: Identity;
  dismissed?: number | undefined;
  exception: boolean;
  silences: string[];
  triage: { status: string; verdict?: string | undefined; assignee?: string | undefined };
  notify: boolean;
  late: boolean;
  seq: number;
  lastIntake: number;
  written: number;
  writtenAt: number;
  broken: number;
  ended: boolean;
  gone: boolean;
  waits: boolean;
  related: string[];
}

export interface ModelStep {
  outcome?: string;
  reason?: string;
  command?: string;
  /** "<alert id> <change> <version>" */
  written: string[];
  notices: number;
}

const ns = (ms: number) => BigInt(ms) * 1_000_000n;
const BANDS = ['suppress', 'low', 'review', 'page'];

export class NaiveModel {
  readonly alerts: ModelAlert[] = [];
  readonly #options: ModelOptions;
  #seen: string[] = [];
  #commands: string[] = [];
  #raw: [string, number, number][] = [];
  #known: [string, Identity][] = [];
  #aliases: [string, string][] = [];
  #dismissals: { fingerprint: string; until: number; rank: number }[] = [];
  #storms: { key: string; start: number; told: number; held: number }[] = [];
  #watermark: bigint | undefined;
  #intake = 0;
  #inputAt: number | undefined;
  #idleWatermark: bigint | undefined;
  #idleIntake = 0;
  #documents: ModelDocuments = { silences: [], exceptions: [] };
  #now = 0;
  #step: ModelStep = { written: [], notices: 0 };

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  event(event: Event, documents: ModelDocuments, now: number): ModelStep {
    this.#begin(documents, now);
    this.#judge(event);
    this.#inputAt = now;
    this.#idleWatermark = this.#watermark;
    this.#idleIntake = this.#intake;
    return this.#step;
  }

  command(command: VerdictCommand, documents: ModelDocuments, now: number): ModelStep {
    this.#begin(documents, now);
    this.#step.command = this.#obey(command);
    return this.#step;
  }

  identity(containers: readonly string[], documents: ModelDocuments, now: number): ModelStep {
    this.#begin(documents, now);
    for (const container of containers) this.#refine(container);
    return this.#step;
  }

  tick(documents: ModelDocuments, now: number): ModelStep {
    this.#begin(documents, now);
    const { graceMs, intervalMs, duePerInput, windowMs } = this.#options;
    const closedBefore = this.alerts.filter((a) => a.state !== 'open');
    const idle = this.#inputAt === undefined ? 0 : now - this.#inputAt;
    if (this.#inputAt === undefined) {
      this.#inputAt = now;
      this.#idleWatermark = this.#watermark;
      this.#idleIntake = this.#intake;
    }
    if (this.#intake > 0 && idle >= graceMs && idle > 0) {
      this.#watermark = (this.#idleWatermark ?? ns(this.#idleIntake)) + ns(idle);
      this.#intake = this.#idleIntake + idle;
    }
    const silenced = this.alerts.filter(
      (a) => a.state === 'open' && a.silences.length > 0 && !a.silences.some((id) => this.#isActive(id, a)),
    );
    for (const alert of silenced.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, duePerInput)) {
      const wasHidden = this.isHidden(alert);
      alert.silences = [];
      if (wasHidden && !this.isHidden(alert)) {
        alert.notify = true;
        this.#write(alert, 'silence_ended');
      }
    }
    this.#closeDue(duePerInput);
    const grown = this.alerts.filter((a) => !a.gone && a.count > a.written && now >= a.writtenAt + intervalMs);
    grown.sort((a, b) => a.writtenAt - b.writtenAt || (a.id < b.id ? -1 : 1));
    for (const alert of grown.slice(0, duePerInput)) this.#write(alert, 'interval');
    const leaving = closedBefore.filter(
      (a) => !a.gone && a.count === a.written && a.lastIntake + 2 * windowMs <= this.#intake,
    );
    leaving.sort((a, b) => a.lastIntake - b.lastIntake || (a.id < b.id ? -1 : 1));
    for (const alert of leaving.slice(0, duePerInput)) alert.gone = true;
    return this.#step;
  }

  /** A restart forgets nothing but since when nothing came. */
  restart(): void {
    this.#inputAt = undefined;
    this.#idleWatermark = this.#watermark;
    this.#idleIntake = this.#intake;
    for (const alert of this.alerts) {
      if (
        alert.state !== 'open' &&
        alert.count === alert.written &&
        alert.lastIntake + 2 * this.#options.windowMs <= this.#intake
      )
        alert.gone = true;
    }
  }

  isHidden(alert: ModelAlert): boolean {
    return this.reasonOf(alert) !== undefined;
  }

  reasonOf(alert: ModelAlert): string | undefined {
    if (alert.dismissed !== undefined) return 'dismissed';
    if (alert.exception) return 'exception';
    if (this.band(alert.score) === 0) return 'score';
    return alert.silences.length > 0 ? 'silenced' : undefined;
  }

  band(score: Score): number {
    const rank = BANDS.indexOf(score.band);
    return score.floor !== undefined && rank < 2 ? 2 : rank;
  }

  #begin(documents: ModelDocuments, now: number): void {
    this.#documents = documents;
    this.#now = now;
    this.#step = { written: [], notices: 0 };
  }

  #end(outcome: string, reason: string): undefined {
    this.#step.outcome = outcome;
    this.#step.reason = reason;
    return undefined;
  }

  #write(alert: ModelAlert, change: string): void {
    alert.version += 1;
    alert.written = alert.count;
    alert.writtenAt = this.#now;
    this.#step.written.push(`${alert.id} ${change} ${alert.version}`);
  }

  #judge(event: Event): undefined {
    const { log, partition, offset, index } = event.raw_pos;
    const raw = this.#raw.find(([name]) => name === `${log}/${partition}`);
    if (raw !== undefined && (offset < raw[1] || (offset === raw[1] && index <= raw[2])))
      return this.#end('duplicate', 'raw_position');
    if (raw !== undefined) raw.splice(1, 2, offset, index);
    else this.#raw.push([`${log}/${partition}`, offset, index]);
    if (this.#seen.includes(event.event_id)) return this.#end('duplicate', 'event_id');
    this.#seen.push(event.event_id);

    this.#learn(event);
    const fingerprint = this.#fingerprint(event);
    const same = this.alerts.filter((a) => a.fingerprint === fingerprint && !a.gone);
    const joinable = same.filter(
      (a) =>
        a.state !== 'merged' &&
        !a.ended &&
        (a.state === 'open' || event.received_at - a.lastIntake <= this.#options.windowMs),
    );
    const time = BigInt(event.time);
    const window = ns(this.#options.windowMs);
    const forwards = joinable.filter((a) => a.anchor <= time && time < a.anchor + window);
    const backwards = joinable.filter((a) => time < a.anchor && a.anchor - window <= time);
    const byAnchor = (a: ModelAlert, b: ModelAlert) =>
      a.anchor < b.anchor ? -1 : a.anchor > b.anchor ? 1 : a.id < b.id ? -1 : 1;
    const chosen = forwards.sort(byAnchor)[0] ?? backwards.sort(byAnchor)[0];
    if (chosen === undefined) this.#open(event, fingerprint, same);
    else this.#fold(chosen, event);

    this.#intake = Math.max(this.#intake, event.received_at);
    if (event.clamped !== true && (this.#watermark === undefined || time > this.#watermark)) this.#watermark = time;
    this.#closeDue(this.#options.duePerEvent);
  }

  #open(event: Event, fingerprint: string, same: readonly ModelAlert[]): void {
    const { windowMs, graceMs, score } = this.#options;
    const anchor = BigInt(event.time);
    const late = this.#watermark !== undefined && this.#watermark >= anchor + ns(windowMs) + ns(graceMs);
    const other = same.find((a) => a.state === 'open');
    const open = !late && (other === undefined || other.anchor < anchor);
    if (open && other !== undefined) {
      other.state = 'closed';
      this.#write(other, 'closed');
    }
    const rank = priorityRank(event.priority);
    const found = score(event);
    const dismissal = this.#dismissals.find((d) => d.fingerprint === fingerprint && d.until > this.#now);
    const silences = this.#silences(event).map((s) => s.id);
    const alert: ModelAlert = {
      id: this.#options.idOf(event),
      event,
      fingerprint,
      version: 0,
      state: open ? 'open' : 'closed',
      priority: rank,
      techniques: [...(event.techniques ?? [])],
      count: 1,
      anchor,
      first: anchor,
      last: anchor,
      targets: [{ key: this.#target(event), count: 1, first: anchor, last: anchor }],
      more: 0,
      users: this.#users(event),
      score: found,
      identity: this.#identity(event),
      exception:
        found.floor === undefined &&
        this.#documents.exceptions.some(
          (e) => e.tenant === event.tenant && this.#now < e.expires_at && this.#matches(e.matchers, event),
        ),
      silences,
      triage: { status: 'new' },
      notify: true,
      late,
      seq: 1 + this.alerts.filter((a) => a.event.tenant === event.tenant).length,
      lastIntake: event.received_at,
      written: 0,
      writtenAt: 0,
      broken: 0,
      ended: false,
      gone: false,
      waits: !this.#isFinal(event),
      related: same
        .filter((a) => a.ended)
        .sort((a, b) => (a.anchor < b.anchor ? -1 : a.anchor > b.anchor ? 1 : a.id < b.id ? -1 : 1))
        .map((a) => a.id)
        .slice(-4),
    };
    if (dismissal !== undefined && found.floor === undefined && rank <= dismissal.rank)
      alert.dismissed = dismissal.rank;
    if (!this.isHidden(alert)) alert.notify = this.#told(event, found);
    this.alerts.push(alert);
    this.#write(alert, 'opened');
    const reason = this.reasonOf(alert);
    if (reason === 'silenced') this.#end('silenced', 'silence');
    else if (reason !== undefined) this.#end('suppressed', reason);
    else if (late) this.#end('late', 'after_window');
    else if (dismissal !== undefined)
      this.#end('opened', found.floor !== undefined ? 'breakthrough_floor' : 'breakthrough_priority');
    else this.#end('opened', same.length > 0 ? 'window_closed' : 'new_fingerprint');
  }

  #fold(alert: ModelAlert, event: Event): undefined {
    const time = BigInt(event.time);
    const wasOpen = alert.state === 'open';
    const wasHidden = this.isHidden(alert);
    const wasReason = this.reasonOf(alert);
    const score = this.#options.score(event);
    const rank = priorityRank(event.priority);
    alert.count += 1;
    if (time < alert.first) alert.first = time;
    if (time > alert.last) alert.last = time;
    alert.lastIntake = Math.max(alert.lastIntake, event.received_at);

    const key = this.#target(event);
    const target = alert.targets.find((t) => t.key === key);
    let newTarget = false;
    let full = false;
    if (target !== undefined) {
      target.count += 1;
      if (time < target.first) target.first = time;
      if (time > target.last) target.last = time;
    } else if (alert.targets.length < this.#options.targetsMax) {
      alert.targets.push({ key, count: 1, first: time, last: time });
      newTarget = true;
    } else {
      full = alert.more === 0;
      alert.more += 1;
    }
    const newUsers = this.#users(event).filter((user) => !alert.users.includes(user));
    alert.users.push(...newUsers);

    let escalates = false;
    let tells = false;
    let worse = false;
    const newFloor = score.floor !== undefined && alert.score.floor === undefined;
    if (alert.dismissed !== undefined && (newFloor || rank > alert.dismissed)) alert.dismissed = undefined;
    if (newFloor) alert.exception = false;
    if (alert.silences.length > 0 && this.#silences(event).length === 0) alert.silences = [];
    if (rank > alert.priority) {
      alert.priority = rank;
      escalates = tells = worse = true;
    }
    if (this.band(score) > this.band(alert.score) || newFloor) {
      alert.score = score;
      escalates = tells = worse = true;
    }
    const techniques = (event.techniques ?? []).filter((t) => !alert.techniques.includes(t));
    if (techniques.length > 0) {
      alert.techniques.push(...techniques);
      escalates = worse = true;
    }
    if (wasHidden && !this.isHidden(alert)) {
      escalates = tells = true;
      if (alert.triage.status === 'dismissed') alert.triage.status = 'new';
    }
    if (tells) alert.notify = true;
    if (escalates) {
      const byEndOfSilence = !worse && wasReason === 'silenced';
      this.#write(alert, byEndOfSilence ? 'silence_ended' : 'escalated');
      return this.#end('folded', 'escalation');
    }
    if ((newTarget || newUsers.length > 0) && alert.broken < this.#options.breakThroughs) {
      alert.broken += 1;
      this.#write(alert, newTarget ? 'new_target' : 'new_user');
    } else if (full) this.#write(alert, 'targets_full');
    else if ([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].includes(alert.count)) this.#write(alert, 'count');
    else if (this.#now >= alert.writtenAt + this.#options.intervalMs) this.#write(alert, 'interval');
    if (newTarget) return this.#end('folded', 'new_target');
    if (newUsers.length > 0) return this.#end('folded', 'new_user');
    if (!wasOpen) return this.#end('folded', 'late_join');
    this.#end('folded', time < alert.anchor ? 'earlier' : 'repeat');
  }

  #closeDue(max: number): void {
    const { windowMs, graceMs } = this.#options;
    if (this.#watermark === undefined) return;
    const watermark = this.#watermark;
    const after = ns(windowMs + graceMs);
    const due = this.alerts.filter((a) => a.state === 'open' && a.anchor + after <= watermark);
    const ms = (a: ModelAlert) => Number(a.anchor / 1_000_000n);
    due.sort((a, b) => ms(a) - ms(b) || (a.id < b.id ? -1 : 1));
    for (const alert of due.slice(0, max)) {
      alert.state = 'closed';
      this.#write(alert, 'closed');
    }
  }

  #obey(command: VerdictCommand): string {
    if (this.#commands.includes(`${command.tenant} ${command.id}`)) return 'repeated';
    let alert = this.alerts.find((a) => a.id === command.alert_id);
    while (alert?.into !== undefined) alert = this.alerts.find((a) => a.id === alert?.into);
    if (alert === undefined || alert.event.tenant !== command.tenant) return 'unknown_alert';
    this.#commands.push(`${command.tenant} ${command.id}`);
    const { fingerprint } = alert;
    const held = this.#dismissals.find((d) => d.fingerprint === fingerprint && d.until > this.#now);
    const wasHidden = this.isHidden(alert);
    const dismisses = command.status === 'dismissed' && command.revoke !== true;
    if (dismisses || command.revoke === true) {
      this.#dismissals = this.#dismissals.filter((d) => d.fingerprint !== fingerprint);
    }
    const rank = Math.max(alert.priority, held?.rank ?? 0);
    if (dismisses) {
      const until = command.dismissed_until ?? command.at + this.#options.dismissalMs;
      this.#dismissals.push({ fingerprint, until, rank });
    }
    alert.dismissed = dismisses ? rank : undefined;
    alert.triage = {
      status: command.status,
      verdict: command.verdict ?? alert.triage.verdict,
      assignee: command.assignee ?? alert.triage.assignee,
    };
    if (command.status === 'resolved' && this.#options.onResolve(alert.event.rule) === 'restart') {
      alert.ended = true;
      if (alert.state === 'open') alert.state = 'closed';
    }
    if (wasHidden && !this.isHidden(alert)) alert.notify = true;
    this.#write(alert, 'verdict');
    if (command.revoke === true) {
      for (const other of this.alerts) {
        if (
          other === alert ||
          other.fingerprint !== fingerprint ||
          other.state !== 'open' ||
          other.dismissed === undefined
        )
          continue;
        other.dismissed = undefined;
        if (!this.isHidden(other)) other.notify = true;
        this.#write(other, 'verdict');
      }
    }
    return 'applied';
  }

  /** Which container or pod an event speaks of. */
  #entity(event: Event): string | undefined {
    if (event.container_id !== undefined && event.container_id !== 'host')
      return `${event.tenant} ${event.cluster} ${event.host} ${event.container_id}`;
    return event.pod_uid === undefined ? undefined : `${event.tenant} ${event.cluster} pod ${event.pod_uid}`;
  }

  #container(event: Event): string {
    return event.container_id !== undefined && event.container_id !== 'host'
      ? `${event.tenant}/${event.cluster}/c/${event.container_id}`
      : `${event.tenant}/${event.cluster}/p/${event.pod_uid}`;
  }

  #identity(event: Event): Identity {
    const entity = this.#entity(event);
    const known = this.#known.find(([name]) => name === entity)?.[1] ?? {};
    const found = this.#options.identify(event) ?? {};
    const base = found.workload === undefined && known.workload !== undefined ? known : found;
    const claims = Object.fromEntries(
      Object.entries({
        namespace: event.namespace ?? known.namespace,
        pod: event.pod ?? known.pod,
        pod_uid: event.pod_uid ?? known.pod_uid,
        node: event.host,
        container: event.container ?? known.container,
        container_id: event.container_id,
        image: event.image ?? known.image,
      }).filter(([, value]) => value !== undefined),
    );
    return { ...claims, ...base };
  }

  #key(event: Event): string {
    const { namespace, workload_kind, workload, container, image } = this.#identity(event);
    const entity = this.#entity(event);
    if (workload !== undefined) {
      const part = container ?? (event.container_id === undefined ? '' : `unnamed ${entity}`);
      return `${event.routing_key} workload ${namespace} ${workload_kind} ${workload} ${part}`;
    }
    if (entity === undefined) return `${event.routing_key} host ${event.host}`;
    if (container !== undefined && image !== undefined && !this.#options.hasInventory()) {
      return `${event.routing_key} image ${event.host} ${container} ${image}`;
    }
    return `${event.routing_key} entity ${entity}`;
  }

  #isFinal(event: Event): boolean {
    const { workload, container } = this.#identity(event);
    if (workload !== undefined) return container !== undefined || event.container_id === undefined;
    return this.#entity(event) === undefined;
  }

  #follow(fingerprint: string): string {
    const next = this.#aliases.find(([from]) => from === fingerprint)?.[1];
    return next === undefined ? fingerprint : this.#follow(next);
  }

  #fingerprint(event: Event): string {
    const fingerprint = this.#follow(this.#key(event));
    if (this.#isFinal(event) || this.alerts.some((a) => a.fingerprint === fingerprint && !a.gone)) return fingerprint;
    const waiting = this.alerts.find(
      (a) =>
        a.waits &&
        !a.gone &&
        this.#entity(a.event) === this.#entity(event) &&
        a.event.routing_key === event.routing_key,
    );
    return waiting?.fingerprint ?? fingerprint;
  }

  /** Another event of that container tells what its earlier ones did not. */
  #learn(event: Event): void {
    const entity = this.#entity(event);
    if (entity === undefined) return;
    const identity = this.#identity(event);
    const held = this.#known.find(([name]) => name === entity);
    const known = held?.[1] ?? {};
    const isNews =
      (identity.workload !== undefined &&
        (identity.workload !== known.workload || identity.namespace !== known.namespace)) ||
      (identity.container !== undefined && known.container === undefined) ||
      (identity.image !== undefined && known.image === undefined);
    if (!isNews) return;
    if (held !== undefined) held[1] = { ...known, ...identity };
    else this.#known.push([entity, identity]);
    this.#refine(this.#container(event));
  }

  #refine(container: string): void {
    const waiting = this.alerts.filter((a) => a.waits && this.#container(a.event) === container);
    waiting.sort((a, b) => (a.anchor < b.anchor ? -1 : a.anchor > b.anchor ? 1 : a.id < b.id ? -1 : 1));
    for (const alert of waiting) {
      const identity = this.#identity(alert.event);
      const isShared = alert.fingerprint.includes(' image ');
      if (identity.workload === undefined && isShared) continue;
      const fingerprint = this.#follow(this.#key(alert.event));
      const final = this.#isFinal(alert.event);
      const gains = identity.workload !== undefined && alert.identity.workload === undefined;
      if (fingerprint === alert.fingerprint && !gains && !final) continue;
      const old = alert.fingerprint;
      if (fingerprint !== old) {
        if (!isShared) this.#aliases.push([old, fingerprint]);
        const held = this.#dismissals.find((d) => d.fingerprint === old && d.until > this.#now);
        const there = this.#dismissals.find((d) => d.fingerprint === fingerprint && d.until > this.#now);
        if (held !== undefined) {
          this.#dismissals = this.#dismissals.filter((d) => d.fingerprint !== old);
          if (there === undefined || there.until < held.until) {
            this.#dismissals = this.#dismissals.filter((d) => d.fingerprint !== fingerprint);
            this.#dismissals.push({ ...held, fingerprint });
          }
        }
      }
      alert.fingerprint = fingerprint;
      alert.identity = identity;
      alert.waits = !final;
      this.#rename(alert, identity);
      const other = this.alerts.find((a) => a !== alert && a.fingerprint === fingerprint && a.state === 'open');
      if (other === undefined || alert.state !== 'open' || old === fingerprint) this.#write(alert, 'amended');
      else if (alert.anchor < other.anchor || (alert.anchor === other.anchor && alert.id < other.id))
        this.#merge(alert, other);
      else this.#merge(other, alert);
    }
  }

  #rename(alert: ModelAlert, { pod_uid }: Identity): void {
    const target = alert.targets.find((t) => t.key === alert.event.container_id);
    if (pod_uid === undefined || target === undefined) return;
    const twin = alert.targets.find((t) => t.key === pod_uid);
    target.key = pod_uid;
    if (twin === undefined) return;
    target.count += twin.count;
    if (twin.first < target.first) target.first = twin.first;
    if (twin.last > target.last) target.last = twin.last;
    alert.targets = alert.targets.filter((t) => t !== twin);
  }

  #merge(survivor: ModelAlert, loser: ModelAlert): void {
    const shown = !this.isHidden(loser);
    const wasHidden = this.isHidden(survivor);
    const band = this.band(survivor.score);
    loser.state = 'merged';
    loser.into = survivor.id;
    this.#write(loser, 'merged');
    const { triage } = survivor;
    const touched = triage.status !== 'new' || triage.verdict !== undefined || triage.assignee !== undefined;
    if (survivor.dismissed === undefined && !touched && loser.triage.status === 'dismissed')
      survivor.dismissed = loser.dismissed;
    if (!touched) survivor.triage = { ...loser.triage };
    let raised = loser.priority > survivor.priority;
    if (survivor.dismissed !== undefined && Math.max(survivor.priority, loser.priority) > survivor.dismissed)
      survivor.dismissed = undefined;
    if (raised) survivor.priority = loser.priority;
    if (shown) survivor.silences = [];
    for (const technique of loser.techniques)
      if (!survivor.techniques.includes(technique)) survivor.techniques.push(technique);
    for (const user of loser.users) if (!survivor.users.includes(user)) survivor.users.push(user);
    if (this.band(loser.score) > band || (loser.score.floor !== undefined && survivor.score.floor === undefined))
      survivor.score = loser.score;
    raised ||= this.band(survivor.score) > band;
    for (const target of loser.targets) {
      if (survivor.targets.length >= this.#options.targetsMax || survivor.targets.some((t) => t.key === target.key))
        continue;
      survivor.targets.push({ ...target, count: 0, from: target.from ?? loser.id });
    }
    if (!survivor.related.includes(loser.id)) survivor.related.push(loser.id);
    if (raised || (wasHidden && !this.isHidden(survivor)) || (shown && loser.notify)) survivor.notify = true;
    this.#write(survivor, 'amended');
  }

  #target(event: Event): string {
    const uid = this.#identity(event).pod_uid;
    if (uid !== undefined) return uid;
    return event.container_id !== undefined && event.container_id !== 'host'
      ? event.container_id
      : `host:${event.host}`;
  }

  #users(event: Event): string[] {
    return event.tty !== undefined && event.tty > 0 && event.user_name !== undefined ? [event.user_name] : [];
  }

  #silences(event: Event) {
    return this.#documents.silences.filter(
      (s) =>
        s.tenant === event.tenant &&
        s.starts_at <= this.#now &&
        this.#now < s.ends_at &&
        this.#matches(s.matchers, event),
    );
  }

  #isActive(id: string, alert: ModelAlert): boolean {
    return this.#documents.silences.some(
      (s) => s.id === id && s.tenant === alert.event.tenant && s.starts_at <= this.#now && this.#now < s.ends_at,
    );
  }

  /** Histories use `=` on fields of the event alone. */
  #matches(matchers: readonly Matcher[], event: Event): boolean {
    return matchers.every(({ field, value }) => event[field as keyof Event] === value);
  }

  #told(event: Event, score: Score): boolean {
    if (score.floor !== undefined || ['Critical', 'Alert', 'Emergency'].includes(event.priority)) return true;
    const key = `${event.tenant} ${event.rule}`;
    let storm = this.#storms.find((s) => s.key === key);
    if (storm === undefined || event.received_at >= storm.start + this.#options.stormMs) {
      this.#storms = this.#storms.filter((s) => s.key !== key);
      storm = { key, start: event.received_at, told: 0, held: 0 };
      this.#storms.push(storm);
    }
    const limit = event.over_quota === true ? this.#options.stormLimit / 10 : this.#options.stormLimit;
    if (storm.told < limit) {
      storm.told += 1;
      return true;
    }
    storm.held += 1;
    if (storm.held === 1) this.#step.notices += 1;
    return false;
  }
}
