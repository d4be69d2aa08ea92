import type { Event } from '@eyrie/schemas';

export function isInContainer(event: Event): boolean {
  return event.container_id !== undefined && event.container_id !== 'host';
}

const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'csh', 'tcsh', 'fish', 'rbash', 'busybox']);

export function isShell(event: Event): boolean {
  return event.process_name !== undefined && SHELLS.has(event.process_name);
}

const SERVERS =
  /^(?:nginx|httpd|apache2?|lighttpd|caddy|envoy|haproxy|uwsgi|gunicorn|php-fpm\S*|java|catalina\.sh|node|tomcat|mysqld|mariadbd|postgres|redis-server|mongod)$/;

/** A shell whose parent serves requests: how most break-ins through the network begin. */
export function isServerShell(event: Event): boolean {
  return isShell(event) && event.parent_name !== undefined && SERVERS.test(event.parent_name);
}

export function isVolatilePath(path: string): boolean {
  return /^(?:\/tmp\/|\/var\/tmp\/|\/dev\/shm\/|\/run\/shm\/|memfd:)/.test(path);
}

const GRAVE_PATH =
  /\/etc\/g?shadow\b|serviceaccount\/token|release_agent|(?:docker|containerd|crio)\.sock\b|\/proc\/1\/|\/core_pattern\b/;
const KEY_PATH =
  /\.aws\b|\.ssh\/|\.kube\/config|\.docker\/config|\bid_(?:rsa|ed25519|ecdsa|dsa)\b|authorized_keys|\.pem\b/;
const SYSTEM_PATH = /\/etc\/(?:pam\.d|sudoers|pam\.conf|security)\b/;

/** Every path that touches a secret matches one of these. */
export const PATH_SIGNS: readonly RegExp[] = [GRAVE_PATH, KEY_PATH, SYSTEM_PATH];

/** 0 to 1: how much a secret or a way out of the container the path or command touches. */
export function pathGravity(text: string): number {
  if (GRAVE_PATH.test(text)) return 1;
  if (KEY_PATH.test(text)) return 0.8;
  return SYSTEM_PATH.test(text) ? 0.4 : 0;
}

const METADATA = new Set(['169.254.169.254', '169.254.170.2', '169.254.170.23', '100.100.100.200', 'fd00:ec2::254']);
const MINER_PORTS = new Set([3333, 4444, 5555, 7777, 9999, 14433, 14444, 45560, 45700]);
const PRIVATE =
  /^(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|0\.|22[4-9]\.|23\d\.|::1$|::$|f[cd]|fe[89ab]|ff|::ffff:(?:10|127|192\.168)\.)/i;

export type Destination = 'metadata' | 'miner_port' | 'public' | 'private';

/** Where a connection leads, as far as address and port tell. */
export function destinationOf(ip: string, port: number | undefined): Destination {
  if (METADATA.has(ip)) return 'metadata';
  if (PRIVATE.test(ip)) return 'private';
  return port !== undefined && MINER_PORTS.has(port) ? 'miner_port' : 'public';
}

/** Namespaces where images are built and packages installed all day. Set by the cluster's owner, not by the event's process. */
export function isBuildNamespace(namespace: string): boolean {
  return /^(?:ci|cd|build|builds|builders?|jenkins|gitlab-runners?|actions-runners?|arc-runners?|tekton(?:-pipelines)?|buildkite)(?:-|$)/.test(
    namespace,
  );
}
