import { describeBus } from '@eyrie/platform/testing/contracts/bus';
import { afterAll, describe, expect, test } from 'vitest';
import { describeArchiving } from './archiving.ts';
import { findBroker } from './broker.ts';
import { describeCompression } from './compression.ts';
import { describeGroups } from './groups.ts';
import { describeInputs } from './inputs.ts';
import { describeLogs } from './logs.ts';
import { describeStandby } from './standby.ts';
import { temporaryKafka } from './temporary-bus.ts';

const broker = await findBroker();

if (typeof broker === 'string') {
  describe('Kafka', () => {
    test('a broker is there', (context) => {
      console.warn(`LEFT OUT: everything on Kafka, no broker (${broker}). Set EYRIE_TEST_KAFKA=host:port`);
      const isMeant = process.env['EYRIE_TEST_KAFKA'] === 'none';
      expect(process.env['CI'] === 'true' && !isMeant, 'in CI the bus contract runs on a real broker').toBe(false);
      context.skip('no Kafka broker');
    });
  });
} else {
  afterAll(() => broker.stop());
  describeBus('Kafka', () => temporaryKafka(broker.brokers));
  describeGroups(() => temporaryKafka(broker.brokers));
  describeCompression((raw) => temporaryKafka(broker.brokers, raw));
  describeStandby(() => temporaryKafka(broker.brokers));
  describeLogs(() => temporaryKafka(broker.brokers));
  describeArchiving(() => temporaryKafka(broker.brokers));
  describeInputs(() => temporaryKafka(broker.brokers));
}
