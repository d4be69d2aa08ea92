import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Documents } from '@eyrie/platform/documents';
import type { HttpApp } from '@eyrie/platform/http/server';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { Store } from '@eyrie/platform/store/store';
import type { Principal } from '@eyrie/platform/tokens';
import type { Alert, Event } from '@eyrie/schemas';
import type { RecentAlerts } from './recent-alerts.ts';
import type { Streams } from './streams.ts';

export type App = HttpApp;

/** Why a response rule fired or did not: the first condition that was false. Given by whoever composes the services. */
export interface RuleExplanation {
  readonly rule_id: string;
  readonly fired: boolean;
  readonly first_false?: string;
}
export type ExplainRules = (event: Event, alert: Alert | undefined) => readonly RuleExplanation[];

/** What the console is given. */
export interface ConsoleDependencies {
  readonly bus: Bus;
  readonly store: Store;
  readonly documents: Documents;
  readonly signer: Signer;
  /** The principal of a token that is valid now. */
  readonly authenticate: (token: string) => Principal | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** For `why`: without it, rules that did not fire are not explained. */
  readonly explainRules?: ExplainRules;
}

/** What the routes work with. */
export interface Context extends ConsoleDependencies {
  /** Covers known shapes of secrets in text. */
  readonly mask: (text: string) => string;
  readonly recent: RecentAlerts;
  readonly streams: Streams;
}
