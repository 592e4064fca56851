import { createHash } from 'node:crypto';

/** What the images of an index are made of. */
export interface Images {
  /** Variables of their environment, such as `PATH=/bin`. */
  readonly environment: readonly string[];
  /** Layers of each, bottom first, as plain tar archives, by the architecture that they are for. */
  readonly layers: Readonly<Record<string, readonly Content[]>>;
}

type Content = Uint8Array<ArrayBuffer>;

const OCI = 'application/vnd.oci.image';

/**
 * Pushes an index of images for Linux to a registry that speaks plain HTTP (OCI image and distribution
 * specifications). A layer that several images share is stored once and, as it is not compressed,
 * costs whoever pulls it little.
 *
 * @param registry - host and port
 * @throws Error with what the registry said when it refuses something
 */
export async function pushImage(
  registry: string,
  name: string,
  tag: string,
  { environment, layers }: Images,
): Promise<void> {
  const repository = `http://${registry}/v2/${name}`;
  const manifests = [];
  for (const [architecture, archives] of Object.entries(layers)) {
    const config = json({
      created: new Date(0),
      architecture,
      os: 'linux',
      config: { Env: environment },
      // Podman counts the layers by it, and has no use of its cache without the moments.
      history: archives.map(() => ({ created: new Date(0), created_by: 'tar' })),
      rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
    });
    for (const blob of [config, ...archives]) await putBlob(repository, blob);
    const manifest = json({
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: descriptor(`${OCI}.config.v1+json`, config),
      layers: archives.map((archive) => descriptor(`${OCI}.layer.v1.tar`, archive)),
    });
    await putManifest(repository, digestOf(manifest), `${OCI}.manifest.v1+json`, manifest);
    manifests.push({
      ...descriptor(`${OCI}.manifest.v1+json`, manifest),
      platform: { os: 'linux', architecture },
    });
  }
  const mediaType = `${OCI}.index.v1+json`;
  await putManifest(repository, tag, mediaType, json({ schemaVersion: 2, mediaType, manifests }));
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

const digestOf = (content: Content) =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

const descriptor = (mediaType: string, content: Content) => ({
  mediaType,
  digest: digestOf(content),
  size: content.length,
});

async function putBlob(repository: string, content: Content): Promise<void> {
  const digest = digestOf(content);
  if ((await fetch(`${repository}/blobs/${digest}`, { method: 'HEAD' })).ok) return;
  const upload = await send(`${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(upload.headers.get('location') ?? '', repository);
  location.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await send(location, { method: 'PUT', headers, body: content });
}

async function putManifest(
  repository: string,
  reference: string,
  mediaType: string,
  content: Content,
): Promise<void> {
  const headers = { 'content-type': mediaType };
  await send(`${repository}/manifests/${reference}`, { method: 'PUT', headers, body: content });
}

async function send(url: string | URL, request: RequestInit): Promise<Response> {
  const response = await fetch(url, request);
  if (response.ok) return response;
  throw new Error(`${request.method} ${url}: ${response.status} ${await response.text()}`);
}
