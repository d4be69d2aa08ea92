import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { SlackApprovals } from '@eyrie/platform/connections';
import type { Documents } from '@eyrie/platform/documents';
import type { GateOptions } from '@eyrie/platform/http/gate';
import type { HttpApp } from '@eyrie/platform/http/server';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { Store } from '@eyrie/platform/store/store';
import type { Principal } from '@eyrie/platform/tokens';
import type { Alert, Event, Identity, Judgement, Matcher, TenantId } from '@eyrie/schemas';
import type { RecentAlerts } from './recent-alerts.ts';
import type { Streams } from './streams.ts';

export type App = HttpApp;

/** Why a response rule fired or did not: the first condition that was false. */
export interface RuleExplanation {
  readonly rule_id: string;
  readonly fired: boolean;
  readonly first_false?: string;
}

/**
 * How the judge and the responder decide, for `why`: given by whoever composes the services, so that the answer comes
 * from the very code that decides. Without it, `why` tells what was recorded and no more.
 */
export interface Explain {
  /** Whether the matchers of a silence or exception hold for an event as it was joined. */
  readonly matches?: (matchers: readonly Matcher[], event: Event, identity: Identity) => boolean;
  /** Every response rule against a judged event; `raw` is its line as sent. */
  readonly rules?: (input: {
    readonly event: Event;
    readonly judgement: Judgement;
    readonly alert: Alert | undefined;
    readonly raw: string;
  }) => readonly RuleExplanation[];
}

/** What the console is given. */
export interface ConsoleDependencies {
  readonly bus: Bus;
  readonly store: Store;
  readonly documents: Documents;
  readonly signer: Signer;
  /** The principal of a token that is valid now. */
  readonly authenticate: (token: string) => Principal | undefined;
  /** The principal a verified client certificate stands for. */
  readonly authenticateCertificate?: NonNullable<GateOptions['authenticateCertificate']>;
  /** The tenant whose unbound administrators may make tokens of others and see what is no tenant's own; absent = nobody may. */
  readonly operator?: TenantId;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Covers known shapes of secrets in text. */
  readonly mask: (text: string) => string;
  readonly explain?: Explain;
  /** Slack apps whose buttons are taken; none where absent. */
  readonly slackApprovals?: () => readonly SlackApprovals[];
}

/** What the routes work with. */
export interface Context extends ConsoleDependencies {
  readonly recent: RecentAlerts;
  readonly streams: Streams;
}
