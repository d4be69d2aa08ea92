export type { TenantQuota } from './core/quota.ts';
export { createGateway, type Gateway, type GatewayDependencies, type GatewayOptions } from './gateway.ts';
export { readInputs } from './topics/inputs-file.ts';
