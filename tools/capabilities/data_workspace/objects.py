"""What stands inside the cluster, as Kubernetes reads it: the jobs' namespace, account and rights, Spark's settings, the device plugin, and
two jobs that show that it works. It is data; the configure step applies it. `${…}` is filled in from the outputs of what was made.

Versions are pinned and dated here. Spark reaches the lake as the pod's own identity, by ABFS's provider for workload identity
(HADOOP-18610, in Hadoop 3.4.1, which Spark 4.0 brings); there is no key.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.values.value import Json

NAMESPACE, ACCOUNT = "spark", "spark"
"""As the module's federated credential names them."""
IMAGE = "apache/spark:4.0.1-scala2.13-java17-python3-ubuntu"
"""The Apache project's own, 2026-11-29; people who need more build upon it."""
PACKAGES = "org.apache.hadoop:hadoop-azure:3.4.1"
"""Of the same Hadoop as in the image; fetched through the NAT gateway when a job begins."""
DEVICE_PLUGIN = "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"
"""NVIDIA's, as its own manifest names it on 2026-11-29. AKS installs the driver and leaves the plugin to the cluster's owner."""
GPU_SAMPLE = "mcr.microsoft.com/azuredocs/samples-tf-mnist-demo:gpu"
"""Of "Use GPUs on AKS", learn.microsoft.com, read 2026-11-29."""
TOKEN_FILE = "/var/run/secrets/azure/tokens/azure-identity-token"  # noqa: S105
SETTINGS = "/opt/berth"
CHECK, GPU_CHECK = "spark-check", "gpu-check"
WORKLOAD_IDENTITY = {"azure.workload.identity/use": "true"}
SPOT = {"key": "kubernetes.azure.com/scalesetpriority", "operator": "Equal", "value": "spot", "effect": "NoSchedule"}
GPU = {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}

_CHECK_PY = """\
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
path = "abfss://${storage.container}@${storage.name}.dfs.core.windows.net/berth-check"
spark.range(1_000_000).repartition(8).write.mode("overwrite").parquet(path)
rows = spark.read.parquet(path).count()
spark.stop()
assert rows == 1_000_000, rows
print("wrote and read", rows, "rows at", path)
"""


def wanted(workers: int, cores: int, memory_gib: int, *, spot: bool, gpu: bool) -> dict[str, Json]:
    """For the configure step. `cores` and `memory_gib` are a worker machine's."""
    found: dict[str, Json] = {
        "namespace": NAMESPACE,
        "objects": {"apiVersion": "v1", "kind": "List", "items": list(_objects(workers, cores, memory_gib, spot=spot, gpu=gpu))},
        "check": _spark_check(),
    }
    return found | {"gpu_check": _gpu_check()} if gpu else found


def _objects(workers: int, cores: int, memory_gib: int, *, spot: bool, gpu: bool) -> Iterator[Json]:
    here = {"namespace": NAMESPACE}
    yield _object("v1", "Namespace", NAMESPACE, labels={"pod-security.kubernetes.io/enforce": "baseline"})
    identity = {"azure.workload.identity/client-id": "${jobs.client_id}", "azure.workload.identity/tenant-id": "${tenant_id}"}
    yield _object("v1", "ServiceAccount", ACCOUNT, annotations=identity, **here)
    # A driver makes, watches and removes its executors.
    verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
    rules = [{"apiGroups": [""], "resources": ["pods", "services", "configmaps", "persistentvolumeclaims"], "verbs": verbs}]
    yield _object("rbac.authorization.k8s.io/v1", "Role", "spark-driver", **here) | {"rules": rules}
    yield _object("rbac.authorization.k8s.io/v1", "RoleBinding", "spark-driver", **here) | {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "spark-driver"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }
    settings = {"spark-defaults.conf": _defaults(workers, cores, memory_gib), "executor.yaml": _executor(spot=spot), "check.py": _CHECK_PY}
    yield _object("v1", "ConfigMap", "spark-settings", **here) | {"data": settings}
    if gpu:
        yield _object("v1", "Namespace", "gpu-resources")
        yield _device_plugin()


def _defaults(workers: int, cores: int, memory_gib: int) -> str:
    """One executor a worker: a core is left to the machine, and memory to Kubernetes and beyond the heap."""
    abfs = "spark.hadoop.fs.azure.account"
    values = {
        "spark.master": "k8s://https://kubernetes.default.svc",
        "spark.kubernetes.namespace": NAMESPACE,
        "spark.kubernetes.container.image": IMAGE,
        "spark.kubernetes.authenticate.driver.serviceAccountName": ACCOUNT,
        "spark.kubernetes.authenticate.executor.serviceAccountName": ACCOUNT,
        "spark.kubernetes.executor.podTemplateFile": f"{SETTINGS}/executor.yaml",
        "spark.kubernetes.executor.label.azure.workload.identity/use": "true",
        "spark.jars.packages": PACKAGES,
        "spark.jars.ivy": "/tmp/ivy",  # noqa: S108
        "spark.executor.cores": str(max(1, cores - 1)),
        "spark.executor.memory": f"{max(1, int(memory_gib * 0.7))}g",
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.maxExecutors": str(workers),
        f"{abfs}.auth.type": "OAuth",
        f"{abfs}.oauth.provider.type": "org.apache.hadoop.fs.azurebfs.oauth2.WorkloadIdentityTokenProvider",
        f"{abfs}.oauth2.msi.tenant": "${tenant_id}",
        f"{abfs}.oauth2.client.id": "${jobs.client_id}",
        f"{abfs}.oauth2.token.file": TOKEN_FILE,
    }
    return "".join(f"{name} {value}\n" for name, value in values.items())


def _executor(*, spot: bool) -> str:
    """Spark's local directories are plain volumes of the pod, so they lie on the worker's local disk, as its whole system disk does."""
    tolerations = [f"    - {{{', '.join(f'{key}: {value}' for key, value in SPOT.items())}}}"] if spot else []
    lines = ["apiVersion: v1", "kind: Pod", "spec:", "  nodeSelector: {pool: workers}"]
    return "\n".join([*lines, *(["  tolerations:", *tolerations] if tolerations else [])]) + "\n"


def _spark_check() -> Json:
    """The driver is the job's own pod, so it needs no address of the API but the cluster's own."""
    submit = ["/opt/spark/bin/spark-submit", "--deploy-mode", "client", "--name", CHECK]
    for_check = {
        "spark.driver.host": "$(POD_IP)",
        "spark.kubernetes.driver.pod.name": "$(POD_NAME)",
        "spark.dynamicAllocation.enabled": "false",
        "spark.executor.instances": "1",
    }
    container = {
        "name": "driver",
        "image": IMAGE,
        "command": [*submit, *(word for key, value in for_check.items() for word in ("--conf", f"{key}={value}")), f"{SETTINGS}/check.py"],
        "env": [
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "SPARK_CONF_DIR", "value": SETTINGS},
        ],
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "3Gi"}},
        "volumeMounts": [{"name": "settings", "mountPath": SETTINGS}],
    }
    pod = {
        "serviceAccountName": ACCOUNT,
        "restartPolicy": "Never",
        "nodeSelector": {"pool": "drivers"},
        "containers": [container],
        "volumes": [{"name": "settings", "configMap": {"name": "spark-settings"}}],
    }
    return _job(CHECK, pod, WORKLOAD_IDENTITY)


def _gpu_check() -> Json:
    container = {"name": "gpu", "image": GPU_SAMPLE, "command": ["nvidia-smi"], "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    pod = {"restartPolicy": "Never", "nodeSelector": {"pool": "gpu"}, "tolerations": [GPU], "containers": [container]}
    return _job(GPU_CHECK, pod, {})


def _device_plugin() -> Json:
    labels = {"name": "nvidia-device-plugin"}
    container = {
        "name": "nvidia-device-plugin",
        "image": DEVICE_PLUGIN,
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "plugins", "mountPath": "/var/lib/kubelet/device-plugins"}],
    }
    pod = {
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [GPU],
        "containers": [container],
        "volumes": [{"name": "plugins", "hostPath": {"path": "/var/lib/kubelet/device-plugins"}}],
    }
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return _object("apps/v1", "DaemonSet", "nvidia-device-plugin", namespace="gpu-resources") | {"spec": spec}


def _job(name: str, pod: Json, labels: Json) -> Json:
    spec = {"backoffLimit": 1, "ttlSecondsAfterFinished": 3600, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return _object("batch/v1", "Job", name, namespace=NAMESPACE) | {"spec": spec}


def _object(version: str, kind: str, name: str, **about: Json) -> dict[str, Json]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **about}}
