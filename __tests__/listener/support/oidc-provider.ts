import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';

/** What the provider's ID token says in place of the truth; undefined leaves it out. */
export type Forgery = (
  claims: JWTPayload,
  sign: (claims: JWTPayload, by?: 'another key') => Promise<string>,
) => Promise<string | undefined>;

/** A real provider (npm `oidc-provider`) at which anybody signs in without being asked. */
export interface TestProvider {
  readonly issuer: string;
  /** Who signs in next. */
  account: Readonly<Record<string, unknown>> & { readonly sub: string };
  /** Undefined: it tells the truth. */
  forgery: Forgery | undefined;
  /** Whether it answers at all. */
  isUp: boolean;
  close(): Promise<void>;
}

/** Starts one that knows one client. */
export async function startProvider(client: {
  readonly id: string;
  readonly secret: string;
  readonly returnTo: string;
}): Promise<TestProvider> {
  const [own, other] = await Promise.all([generateKeys(), generateKeys()]);
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const running: TestProvider = {
    issuer,
    account: { sub: 'nobody' },
    forgery: undefined,
    isUp: true,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.returnTo],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: {
      keys: [{ ...(await exportJWK(own.privateKey)), kid: 'own', alg: 'RS256', use: 'sig' }],
    },
    cookies: { keys: ['a-key-of-the-test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
    conformIdTokenClaims: false,
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 60,
      Grant: 60,
      IdToken: 60,
      Interaction: 60,
      Session: 60,
    },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, id) => ({ accountId: id, claims: async () => running.account }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId ?? '',
        accountId: ctx.oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const login = { accountId: running.account.sub };
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login }));
  });
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    const body = ctx.body as { id_token?: string } | undefined;
    if (running.forgery === undefined || body?.id_token === undefined) return;
    const claims = JSON.parse(
      Buffer.from(body.id_token.split('.')[1] ?? '', 'base64url').toString(),
    );
    const sign = (forged: JWTPayload, by?: 'another key') =>
      new SignJWT(forged)
        .setProtectedHeader({ alg: 'RS256', kid: 'own' })
        .sign((by === undefined ? own : other).privateKey);
    ctx.body = { ...body, id_token: await running.forgery(claims, sign) };
  });
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (running.isUp) answer(request, response);
    else response.writeHead(503).end();
  });
  return running;
}

function generateKeys() {
  return generateKeyPair('RS256', { extractable: true });
}
