export type { TenantQuota } from './core/quota.ts';
export { createGateway, type Gateway, type GatewayDependencies, type GatewayOptions } from './gateway.ts';
