import { spawn } from 'node:child_process';

/**
 * Runs a program that ends when the process that started this one does, even by `kill -9`: then the
 * channel between them closes. All state is thrown away afterwards, so nobody waits for a shutdown
 * in good order.
 */
const [program = '', ...parameters] = process.argv.slice(2);
const child = spawn(program, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
const end = () => child.kill('SIGKILL');
process.once('disconnect', end).once('SIGTERM', end).once('SIGINT', end);
child.once('exit', (code) => process.exit(code ?? 1));
