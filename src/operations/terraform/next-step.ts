import type { FileProcessingSettings } from '../../settings/file-processing-variables.ts';
import type { Output } from './terraform.ts';

/**
 * What is left for the operator after an apply: without an image there is no listener, and until there
 * is a URL for SNS to post to, nothing is delivered over HTTP.
 *
 * @returns `undefined` when nothing is
 */
export function nextStepOf(
  settings: FileProcessingSettings,
  outputs: Readonly<Record<string, Output>>,
): string | undefined {
  if (settings.manage_kubernetes && settings.image === '') {
    return 'npm run manage -- update-image builds the listener, pushes it and deploys it: there is no image yet';
  }
  if (settings.delivery !== 'http' || settings.sns_endpoint_url !== '') return undefined;
  const host = outputs.load_balancer_hostname?.value;
  const target =
    typeof host === 'string' && host !== ''
      ? `the load balancer ${host}`
      : 'the load balancer in front of the listener';
  return `point a name at ${target}, set sns_endpoint_url (and tls_certificate_arn) in file_processing.tfvars, and apply again: SNS subscribes the endpoint then`;
}
