"""Holds manifests of Kubernetes to the schemas of its versions and to the restricted profile for pods.

    manifests.py FILE VERSION...

What a schema does not know is an error too. Resources of other makers (PodMonitor) have no schema here and are left out.
"""

import sys

import kubernetes_validate
import yaml


def profile_faults(pod):
    """What the restricted profile of the Pod Security Standards refuses in a pod, as far as its fields are used here."""
    of_pod = pod.get("securityContext", {})
    if of_pod.get("runAsNonRoot") is not True or of_pod.get("runAsUser") == 0:
        yield "the pod may run as root"
    if of_pod.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "the pod has no seccomp profile"
    for shared in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(shared):
            yield f"the pod shares {shared}"
    for container in pod["containers"] + pod.get("initContainers", []):
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{container['name']} may gain privileges"
        if context.get("capabilities", {}).get("drop") != ["ALL"] or context["capabilities"].get("add"):
            yield f"{container['name']} has capabilities"
        # More than the profile asks for.
        if context.get("readOnlyRootFilesystem") is not True:
            yield f"{container['name']} may write into its image"
        if "memory" not in container.get("resources", {}).get("limits", {}):
            yield f"{container['name']} has no bound of memory"
    known = {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected", "downwardAPI", "csi", "ephemeral"}
    for volume in pod.get("volumes", []):
        if kinds := set(volume) - {"name"} - known:
            yield f"the volume {volume['name']} is of {kinds}"


def faults(resource, versions):
    """What is wrong with a resource."""
    group = resource["apiVersion"].split("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return
    for version in versions:
        try:
            kubernetes_validate.validate(resource, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{version}: {'.'.join(map(str, error.path))}: {error.message}"
    if resource["kind"] in ("StatefulSet", "Deployment"):
        yield from profile_faults(resource["spec"]["template"]["spec"])


def main():
    """Prints every fault; ends with 1 when there is any."""
    with open(sys.argv[1], encoding="utf-8") as file:
        resources = list(yaml.safe_load_all(file))
    found = [
        f"{resource['kind']} {resource['metadata']['name']}: {fault}"
        for resource in resources
        for fault in faults(resource, sys.argv[2:])
    ]
    print("\n".join(found) or f"{len(resources)} resources are valid")
    sys.exit(bool(found) or len(resources) < 5)


if __name__ == "__main__":
    main()
