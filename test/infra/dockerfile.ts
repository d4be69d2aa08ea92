import { existsSync, globSync } from 'node:fs';
import {
  type Copy,
  type Dockerfile,
  DockerfileParser,
  type From,
  type Instruction,
  type JSONInstruction,
} from 'dockerfile-ast';

/** What stands around a Dockerfile. */
export interface Surroundings {
  /** The directory that is sent to the builder. */
  readonly context: string;
  /** Version the project pins Node to. */
  readonly node: string;
  /** Every package.json the lockfile speaks of, relative to the context. */
  readonly manifests: readonly string[];
}

const SECRET = /(PASSWORD|TOKEN|SECRET|API_KEY|PRIVATE_KEY)/i;

/** What a Dockerfile promises and does not hold; empty when all is well. */
export function dockerfileProblems(text: string, around: Surroundings): string[] {
  const file = DockerfileParser.parse(text);
  return [
    ...baseProblems(file, around),
    ...copyProblems(file, around),
    ...secretProblems(file),
    ...installProblems(file, around),
    ...finalProblems(file),
  ];
}

function baseProblems(file: Dockerfile, { node }: Surroundings): string[] {
  const problems: string[] = [];
  const pinned = file.getInitialARGs().find((arg) => arg.getProperty()?.getName() === 'NODE_VERSION');
  const version = pinned?.getProperty()?.getValue();
  if (version !== node) problems.push(`NODE_VERSION is ${version}, the project's Node ${node}`);
  const stages = new Set(file.getFROMs().map((from) => from.getBuildStage()));
  for (const from of file.getFROMs()) {
    const image = from.getImage() ?? '';
    if (image === 'scratch' || stages.has(image) || image.startsWith(`node:$\{NODE_VERSION}-`)) continue;
    problems.push(`base ${image} is not pinned`);
  }
  return problems;
}

function copyProblems(file: Dockerfile, { context }: Surroundings): string[] {
  const problems: string[] = [];
  const stages = new Set(file.getFROMs().map((from) => from.getBuildStage()));
  for (const copy of file.getCOPYs()) {
    const from = copy
      .getFlags()
      .find((flag) => flag.getName() === 'from')
      ?.getValue();
    if (from !== undefined && from !== null) {
      if (!stages.has(from)) problems.push(`COPY from a stage that does not exist: ${from}`);
      continue;
    }
    for (const source of sourcesOf(copy)) {
      if (globSync(source, { cwd: context }).length === 0) problems.push(`COPY of what does not exist: ${source}`);
    }
  }
  return problems;
}

function sourcesOf(copy: Copy): string[] {
  return copy
    .getArguments()
    .slice(0, -1)
    .map((argument) => argument.getValue());
}

function secretProblems(file: Dockerfile): string[] {
  const names = [
    ...file.getENVs().flatMap((env) => env.getProperties().map((property) => property.getName())),
    ...file.getARGs().map((arg) => arg.getProperty()?.getName() ?? ''),
  ];
  return names.filter((name) => SECRET.test(name)).map((name) => `${name} would stay in the image`);
}

function installProblems(file: Dockerfile, { context, manifests }: Surroundings): string[] {
  const problems: string[] = [];
  const install = file.getInstructions().find((each) => /\bnpm (ci|install)\b/.test(each.getArgumentsContent() ?? ''));
  if (install === undefined) return ['nothing installs the dependencies'];
  if (!/\bnpm ci\b.*--omit=dev/.test(install.getArgumentsContent() ?? '')) {
    problems.push('dependencies are not installed by `npm ci --omit=dev`');
  }
  const before = file.getCOPYs().filter((copy) => startOf(copy) < startOf(install));
  const copied = new Set(before.flatMap(sourcesOf));
  for (const manifest of manifests) {
    if (!copied.has(manifest)) problems.push(`${manifest} is not there when npm reads the workspaces`);
  }
  for (const source of copied) {
    if (source.endsWith('package.json') && !existsSync(`${context}/${source}`)) problems.push(`${source} is gone`);
  }
  return problems;
}

function startOf(instruction: Instruction): number {
  return instruction.getRange().start.line;
}

/** Every stage without a reader is an image that somebody runs. */
function finalProblems(file: Dockerfile): string[] {
  const froms = file.getFROMs();
  const read = new Set([
    ...froms.map((from) => from.getImage()),
    ...file.getCOPYs().map((copy) =>
      copy
        .getFlags()
        .find((flag) => flag.getName() === 'from')
        ?.getValue(),
    ),
  ]);
  return froms
    .filter((from) => !read.has(from.getBuildStage()))
    .flatMap((from) => imageProblems(file, from).map((problem) => `${from.getBuildStage()}: ${problem}`));
}

function imageProblems(file: Dockerfile, from: From): string[] {
  const instructions = inherited(file, from);
  const last = (keyword: string) => instructions.findLast((each) => each.getKeyword() === keyword);
  const problems: string[] = [];
  const user = last('USER')?.getArgumentsContent() ?? '0';
  if (!/^[1-9]\d*(:[1-9]\d*)?$/.test(user)) problems.push(`runs as ${user}, not as a numbered user that is not root`);
  const health = last('HEALTHCHECK')?.getArgumentsContent() ?? 'NONE';
  if (health === 'NONE') problems.push('no health check');
  for (const keyword of ['ENTRYPOINT', 'CMD']) {
    const instruction = last(keyword) as JSONInstruction | undefined;
    if (instruction?.getOpeningBracket() == null)
      problems.push(`${keyword} goes through a shell, which gets the signals`);
  }
  const labels = instructions.filter((each) => each.getKeyword() === 'LABEL').map((each) => each.getArgumentsContent());
  for (const name of ['title', 'description', 'licenses', 'version', 'revision']) {
    if (!labels.some((label) => label?.includes(`org.opencontainers.image.${name}=`)))
      problems.push(`no label ${name}`);
  }
  return problems;
}

/** The instructions of a stage behind those of the stages it begins with. */
function inherited(file: Dockerfile, from: From): Instruction[] {
  const froms = file.getFROMs();
  const parent = froms.find((each) => each.getBuildStage() !== null && each.getBuildStage() === from.getImage());
  const start = startOf(from);
  const end = Math.min(...froms.map(startOf).filter((line) => line > start), Number.POSITIVE_INFINITY);
  const own = file.getInstructions().filter((each) => startOf(each) >= start && startOf(each) < end);
  return [...(parent === undefined ? [] : inherited(file, parent)), ...own];
}
