"""Writes audit/rules/cluster/instance-types.json.

    pip download --no-deps moto==5.2.5
    go mod download github.com/aws/amazon-vpc-cni-k8s@v1.23.2
    python test-support/instance-types/generate.py MOTO_WHEEL CNI_FOLDER > audit/rules/cluster/instance-types.json

vCPUs, memory and processor are what EC2 answers to DescribeInstanceTypes, as moto keeps it; the network interfaces of
a type and the IPv4 addresses of each are the VPC CNI's own table. A type is written where both know it; metal and GPU
types, of which no image of the node groups is, are left out.
"""

import gzip
import json
import re
import sys
import zipfile

wheel, cni = sys.argv[1:3]
with zipfile.ZipFile(wheel) as packed:
    ec2 = json.loads(gzip.decompress(packed.read("moto/ec2/resources/instance_types.json.gz")))
with open(f"{cni}/pkg/vpc/vpc_ip_resource_limit.go", encoding="utf-8") as file:
    limits = re.findall(r'"([\w.-]+)":\s*\{\s*ENILimit:\s*(\d+),\s*IPv4Limit:\s*(\d+),', file.read())

version = re.search(r"moto-([\d.]+)-py3", wheel)
print("{")
print('  "source": [')
print(f'    "Amazon EC2, DescribeInstanceTypes, as in moto {version[1]} (Apache-2.0)",')
print(f'    "github.com/aws/{cni.rstrip("/").split("/")[-1]}/pkg/vpc/vpc_ip_resource_limit.go (Apache-2.0)"')
print("  ],")
print('  "columns": ["vCPUs", "memory in MiB", "network interfaces", "IPv4 addresses of each"],')
print('  "types": {')
lines = []
for name, interfaces, addresses in sorted(limits):
    known = ec2.get(name)
    if known is None or ".metal" in name or "GpuInfo" in known:
        continue
    cpus, memory = known["VCpuInfo"]["DefaultVCpus"], known["MemoryInfo"]["SizeInMiB"]
    lines.append(f'    "{name}": [{cpus}, {memory}, {interfaces}, {addresses}]')
print(",\n".join(lines))
print("  }")
print("}")
