"""What the end-to-end client expects, said so that a failure explains itself."""

import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

CALL_DEADLINE_SECONDS = 10


def passed(sentence):
    """Prints one line for a check that holds."""
    print(f"ok      {sentence}", flush=True)


def failed(sentence):
    """Prints why a check does not hold, and ends the program."""
    print(f"FAILED  {sentence}", flush=True)
    sys.exit(1)


def expect(condition, sentence, seen):
    """The sentence holds, or what was seen is shown."""
    if condition:
        passed(sentence)
    else:
        failed(f"{sentence}\nseen:\n{seen}")


def call(method, request):
    """A call that must succeed."""
    try:
        return method(request, timeout=CALL_DEADLINE_SECONDS)
    except grpc.RpcError as error:
        failed(f"{type(request).__name__} was refused: {error.code().name}: {error.details()}\nrequest:\n{request}")


class Refusal:
    """A call that must be refused, with what its status carries."""

    def __init__(self, method, request, code):
        name = type(request).__name__
        try:
            answer = method(request, timeout=CALL_DEADLINE_SECONDS)
        except grpc.RpcError as error:
            self.error = error
        else:
            failed(f"{name} should be refused with {code.name}\nseen:\n{answer}")
        if self.error.code() != code:
            failed(f"{name} should be refused with {code.name}\nseen:\n{self.error}")
        self.status = rpc_status.from_call(self.error)
        if self.status is None:
            failed(f"the refusal of {name} should carry details\nseen:\n{self.error}")

    def detail(self, message_type):
        """The detail of this type."""
        for packed in self.status.details:
            message = message_type()
            if packed.Unpack(message):
                return message
        carried = [packed.type_url for packed in self.status.details]
        failed(f"the refusal should carry a {message_type.DESCRIPTOR.full_name}\nseen:\n{carried}\n{self.error}")

    def reason(self):
        """The stable reason."""
        return self.detail(error_details_pb2.ErrorInfo).reason

    def __str__(self):
        return str(self.status)
