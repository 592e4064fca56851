import { startControlPlane } from './control-plane.ts';

/** A process of its own that starts a control plane, says where, and waits to be killed. */
const { url } = await startControlPlane();
console.log(url);
