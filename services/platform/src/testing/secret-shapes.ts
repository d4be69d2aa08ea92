/** Command lines and texts with a secret in them, in the shapes that occur; the same seed gives the same. */
export function secretShapes(count: number, seed: number): { readonly text: string; readonly secret: string }[] {
  const random = mulberry(seed);
  const of = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('');
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const word = () => of(ALNUM, 8 + Math.floor(random() * 24));
  const strong = () => of(`${ALNUM}!#%*+._~-`, 10 + Math.floor(random() * 14)).replace(/^[-*.]/, 'x');

  const shapes: readonly (() => { text: string; secret: string })[] = [
    () => wrap(strong(), (s) => `mysql -h db --user=root --password=${s} -e "select 1"`),
    () => wrap(strong(), (s) => `psql --password ${s} -h db`),
    () => wrap(word(), (s) => `mysql -uroot -p${s} shop`),
    () => wrap(word(), (s) => `sshpass -p ${s} ssh root@10.0.0.1`),
    () => wrap(word(), (s) => `redis-cli -h cache -a ${s} keys *`),
    () => wrap(word(), (s) => `docker login -u ci -p ${s} registry.example.com`),
    () => wrap(strong(), (s) => `PGPASSWORD=${s} pg_dump shop`),
    () => wrap(strong(), (s) => `export DB_PASSWORD='${s}'`),
    () => wrap(strong(), (s) => `vault login token=${s}`),
    () => wrap(word(), (s) => `helm upgrade x --set auth.password=${s},replicas=2`),
    () => wrap(word(), (s) => `curl -u admin:${s} https://example.com/api`),
    () => wrap(word(), (s) => `curl --user admin:${s} https://example.com/api`),
    () => wrap(word(), (s) => `git clone https://deploy:${s}@git.example.com/a.git`),
    () => wrap(of(ALNUM, 40), (s) => `git clone https://${s}@github.com/a/b.git`),
    () => wrap(word(), (s) => `mongodump --uri mongodb+srv://app:${s}@cluster0.example.net/db`),
    () => wrap(of(`${ALNUM}-_`, 40), (s) => `curl -H "Authorization: Bearer ${s}" https://example.com`),
    () => wrap(of(ALNUM, 32), (s) => `curl -H 'authorization: Basic ${s}==' https://example.com`),
    () => wrap(of(ALNUM, 40), (s) => `curl -H "Authorization: token ${s}" https://api.github.com`),
    () => wrap(of(ALNUM, 32), (s) => `curl -H "X-Api-Key: ${s}" https://example.com`),
    () => wrap(of(ALNUM, 26), (s) => `curl -H "PRIVATE-TOKEN: ${s}" https://gitlab.example.com`),
    () => wrap(of(ALNUM, 32), (s) => `wget "https://example.com/x?api_key=${s}&y=1"`),
    () => wrap(of(ALNUM, 32), (s) => `{"client_secret": "${s}", "x": 1}`),
    () => wrap(of(ALNUM, 32), (s) => `secret: ${s}`),
    () => wrap(of(ALNUM, 24), (s) => `az login --service-principal --password ${s} --tenant t`),
    () => wrap(pick(['AKIA', 'ASIA']) + of(UPPER, 16), (s) => `aws configure set aws_access_key_id ${s}`),
    () => wrap(of(`${ALNUM}/+`, 40), (s) => `AWS_SECRET_ACCESS_KEY=${s} aws s3 ls`),
    () => wrap(of(`${ALNUM}/+`, 200), (s) => `export AWS_SESSION_TOKEN=${s}`),
    () => wrap(`AIza${of(`${ALNUM}_-`, 35)}`, (s) => `curl https://maps.example.com/?q=${s}`),
    () => wrap(`ya29.${of(`${ALNUM}_-`, 60)}`, (s) => `gcloud run --x ${s}`),
    () => wrap(of(`${ALNUM}+/`, 86), (s) => `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${s}==;`),
    () => wrap(of(ALNUM, 43), (s) => `https://a.blob.core.windows.net/c?sv=2022&sig=${s}%3D`),
    () => wrap(`glpat-${of(`${ALNUM}_-`, 20)}`, (s) => `echo ${s}`),
    () => wrap(`${pick(['ghp_', 'gho_', 'ghs_'])}${of(ALNUM, 36)}`, (s) => `echo ${s} | gh auth login`),
    () => wrap(`github_pat_${of(`${ALNUM}_`, 60)}`, (s) => `echo ${s}`),
    () => wrap(`xoxb-${of(DIGITS, 12)}-${of(DIGITS, 12)}-${of(ALNUM, 24)}`, (s) => `slack ${s} hello`),
    () =>
      wrap(`T${of(UPPER, 8)}/B${of(UPPER, 8)}/${of(ALNUM, 24)}`, (s) => `curl https://hooks.slack.com/services/${s}`),
    () => wrap(`eyJ${of(ALNUM, 30)}.eyJ${of(ALNUM, 60)}.${of(`${ALNUM}_-`, 43)}`, (s) => `run ${s}`),
    () => wrap(of(`${ALNUM}+/`, 64), (s) => `-----BEGIN RSA PRIVATE KEY-----\n${s}\n-----END RSA PRIVATE KEY-----`),
    () => wrap(of(`${ALNUM}+/`, 64), (s) => `echo -----BEGIN PRIVATE KEY-----${s}`),
    () => wrap(`eyrie_${of(`${ALNUM}_-`, 43)}`, (s) => `eyrie send x --url y ${s}`),
    () => wrap(`npm_${of(ALNUM, 36)}`, (s) => `echo ${s}`),
    () => wrap(`hvs.${of(ALNUM, 24)}`, (s) => `vault read ${s}`),
    () => wrap(`sk_live_${of(ALNUM, 24)}`, (s) => `pay ${s}`),
  ];
  return Array.from({ length: count }, (_, index) => {
    const { text, secret } = (shapes[index % shapes.length] as () => { text: string; secret: string })();
    return { text: `${pick(['', 'sh -c ', 'bash -c exec '])}${text}${pick(['', ' && true', ' 2>&1'])}`, secret };
  });
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const DIGITS = '0123456789';
const ALNUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function wrap(secret: string, text: (secret: string) => string): { text: string; secret: string } {
  return { text: text(secret), secret };
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
