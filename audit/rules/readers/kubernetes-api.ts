import type * as autoscaling from 'kubernetes-types/autoscaling/v2.d.ts';
import type * as batch from 'kubernetes-types/batch/v1.d.ts';
import type * as core from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import type * as networking from 'kubernetes-types/networking/v1.d.ts';
import type * as rbac from 'kubernetes-types/rbac/v1.d.ts';

/**
 * A part of the Kubernetes API as the rules read it. Every field is optional, since what is judged may lack any. A number
 * may still be an expression of Terraform.
 */
type Read<Part> = Part extends readonly (infer Item)[]
  ? readonly Read<Item>[]
  : Part extends object
    ? string extends keyof Part
      ? Readonly<Part>
      : { readonly [Field in keyof Part]?: Read<Part[Field]> }
    : Part;

/** A label selector. */
export type Selector = Read<LabelSelector>;
/** A key of a ConfigMap or Secret, and the file that it becomes. */
export type KeyToPath = Read<core.KeyToPath>;
/** A ConfigMap or Secret, one of its keys, or those that become files. */
export type FileSource = Read<core.ConfigMapKeySelector & core.ConfigMapVolumeSource>;
/** A question of the kubelet. */
export type Probe = Read<core.Probe>;
/** What a container, or all of a pod, may do. */
export type SecurityContext = Read<core.SecurityContext & core.PodSecurityContext>;
/** A port that a container opens. */
export type ContainerPort = Read<core.ContainerPort>;
/** A container. */
export type ContainerSpec = Read<core.Container>;
/** A volume of a pod. */
export type Volume = Read<core.Volume>;
/** Pods to be near, or far from. */
export type PodAffinity = Read<core.PodAffinity>;
/** A pod. */
export type PodSpec = Read<core.PodSpec>;
/** A Service. */
export type ServiceSpec = Read<core.ServiceSpec>;
/** What an autoscaler goes by, such as CPU. */
export type Metric = Read<autoscaling.MetricSpec>;
/** How fast an autoscaler acts in one direction. */
export type ScalingRules = Read<autoscaling.HPAScalingRules>;
/** What the failures of a Job's pods lead to. */
export type FailurePolicy = Read<batch.PodFailurePolicy>;
/** One item of a LimitRange. */
export type LimitRangeItem = Read<core.LimitRangeItem>;
/** A Service that an Ingress leads to. */
export type BackendService = Read<networking.IngressServiceBackend>;
/** An Ingress. */
export type IngressSpec = Read<networking.IngressSpec>;
/** Who may call, or be called. */
export type NetworkPeer = Read<networking.NetworkPolicyPeer>;
/** A port that a network policy opens. */
export type NetworkPort = Read<networking.NetworkPolicyPort>;
/** A network policy. */
export type NetworkPolicySpec = Read<networking.NetworkPolicySpec>;
/** A rule of a Role: what may be done with what. */
export type Right = Read<rbac.PolicyRule>;
/** Who a binding gives a Role to. */
export type BindingSubject = Read<rbac.Subject>;
