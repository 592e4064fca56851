/** A fenced code block of a page. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

const FENCE = /^```([a-z]*)\n([\s\S]*?)^```$/gm;

/** The fenced code blocks of a page. */
export function codeBlocksIn(text: string): readonly CodeBlock[] {
  return [...text.matchAll(FENCE)].map(([, language = '', block = '']) => ({
    language,
    text: block,
  }));
}

/** A page without its fenced code blocks. */
export function proseOf(text: string): string {
  return text.replace(FENCE, '');
}

/** What stands in backticks outside of code blocks. */
export function inlineCodeIn(text: string): readonly string[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Targets of a page's links. */
export function linksIn(text: string): readonly string[] {
  const prose = proseOf(text).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors that GitHub gives the headings of a page. */
export function anchorsOf(text: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** A file that a shell block writes: `cat > FILE <<'EOF'`, its lines, `EOF`. */
const HEREDOC = /^cat > (\S+) <<'EOF'\n([\s\S]*?^)EOF$/gm;

/** The files that a page's shell blocks write, in their order. */
export function filesWrittenIn(text: string): readonly { path: string; content: string }[] {
  return codeBlocksIn(text).flatMap((block) =>
    [...block.text.matchAll(HEREDOC)].map(([, path = '', content = '']) => ({ path, content })),
  );
}

/** The commands of a page's shell blocks, one a line, without comments. */
export function commandLinesIn(text: string): readonly string[] {
  return codeBlocksIn(text)
    .filter(({ language }) => language === 'bash')
    .flatMap(({ text: block }) => block.replace(HEREDOC, '').replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/ && | \| /))
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '');
}
