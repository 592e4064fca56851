/**
 * The folder that main.ts, in this process, has synthesized into: that of the cdktf CLI goes first.
 *
 * @throws Error when neither it nor the test has named one
 */
export function outputOfSynth(): string {
  const output = process.env.CDKTF_OUTDIR || process.env.CDKTF_OUTPUT;
  if (!output) throw new Error('Neither CDKTF_OUTDIR nor CDKTF_OUTPUT is set');
  return output;
}
