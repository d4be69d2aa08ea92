import { describeBus } from '@eyrie/platform/testing/contracts/bus';
import { afterAll } from 'vitest';
import { describeArchiving } from './archiving.ts';
import { findBroker } from './broker.ts';
import { describeCompression } from './compression.ts';
import { describeGroups } from './groups.ts';
import { describeInputs } from './inputs.ts';
import { leftOut } from './left-out.ts';
import { describeLogs } from './logs.ts';
import { describeStandby } from './standby.ts';
import { temporaryKafka } from './temporary-bus.ts';
import { describeTopicsVerbs } from './topics-verbs.ts';

const broker = await findBroker();

if (typeof broker === 'string') {
  leftOut('everything on Kafka', broker);
} else {
  afterAll(() => broker.stop());
  describeBus('Kafka', () => temporaryKafka(broker.brokers));
  describeGroups(() => temporaryKafka(broker.brokers));
  describeCompression((raw) => temporaryKafka(broker.brokers, raw));
  describeStandby(() => temporaryKafka(broker.brokers));
  describeTopicsVerbs(broker.brokers);
  describeLogs(() => temporaryKafka(broker.brokers));
  describeArchiving(() => temporaryKafka(broker.brokers));
  describeInputs(() => temporaryKafka(broker.brokers));
}
