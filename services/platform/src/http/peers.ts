/**
 * A bounded token bucket per peer: how often something may be said of it. A flood of wrong tokens then costs neither log
 * lines nor open connections. Valid requests never pass here: a whole fleet may share one address.
 */
export interface PeerBuckets {
  /** True while the peer is within its rate. */
  take(peer: string, now: number): boolean;
}

export function createPeerBuckets(options: {
  readonly burst: number;
  readonly perSecond: number;
  readonly maxPeers: number;
}): PeerBuckets {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take: (peer, now) => {
      const bucket = buckets.get(peer) ?? { tokens: options.burst, at: now };
      buckets.delete(peer);
      if (buckets.size >= options.maxPeers) {
        const oldest = buckets.keys().next().value;
        if (oldest !== undefined) buckets.delete(oldest);
      }
      buckets.set(peer, bucket);
      bucket.tokens = Math.min(
        options.burst,
        bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * options.perSecond,
      );
      bucket.at = now;
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}
