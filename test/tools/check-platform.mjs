// Runs on any Node before anything is installed: names an unsupported machine before the download.
const [major] = process.versions.node.split('.').map(Number);
const supported = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
const here = `${process.platform}-${process.arch}`;
const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
if (major < 20) {
  console.error(`EYRIE_PLATFORM_UNSUPPORTED: Node ${process.versions.node} is too old. Install Node 20 or newer.`);
  process.exit(1);
}
if (!supported.includes(here) || isMusl) {
  const found = isMusl ? `${here} with musl` : here;
  console.error(
    `EYRIE_PLATFORM_UNSUPPORTED: the embedded ClickHouse engine has no build for ${found}. ` +
      `Use one of ${supported.join(', ')} with glibc, or the container image.`,
  );
  process.exit(1);
}
