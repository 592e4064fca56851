"""The AWS API that the Terraform tests apply against: moto's server plus the patches in ./patches.

    python emulator.py [--port PORT] [--until-stdin-closes]

Listens on loopback only. Without --port the system picks a free one. The first line on standard
output names the address, so that a caller never has to guess a port that may be taken by then:

    AWS emulator listening on http://127.0.0.1:41873

With --until-stdin-closes it ends when its standard input does, so that it can't outlive the
process that started it.

Environment (both optional): EKS_ENDPOINT and EKS_CA_FILE give every cluster the address and the
certificate authority (a PEM file) of a real Kubernetes API server.
"""

import argparse
import gc
import os
import sys
import threading

# Of what is imported nothing is garbage: looking for some is a third of the start.
gc.disable()
# Read by moto when its IAM module is imported: without it no AWS managed policy exists.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
# The one account, moto's own. To find that of an access key moto reads the managed policies of each
# partition, which is more than a second of each start and reset.
os.environ.setdefault("MOTO_ACCOUNT_ID", "123456789012")
# Nobody asks for a machine image.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from patches import dispatch, ec2, eks, iam, kms, rds, s3, sesv2, sns, sqs  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

HOST = "127.0.0.1"


def exit_when_stdin_closes() -> None:
    """Blocks until the other end of standard input is closed, then ends the process."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description="The AWS API for the Terraform tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--until-stdin-closes", action="store_true")
    arguments = parser.parse_args()

    for patched in (dispatch, ec2, eks, iam, kms, rds, s3, sesv2, sns, sqs):
        patched.patch()
    # What is there by now stays, and is nothing that the garbage collector need look through.
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()

    server = make_server(
        HOST,
        arguments.port,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    if arguments.until_stdin_closes:
        threading.Thread(target=exit_when_stdin_closes, daemon=True).start()
    print(f"AWS emulator listening on http://{HOST}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
