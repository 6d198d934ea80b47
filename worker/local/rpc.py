"""The gRPC server of the laptop cloud: its services answer errors with Google's codes."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from worker.local.errors import ApiError, PortUnusable
from worker.local.listening import listen

_THREADS = 64  # a streaming call keeps one as long as it lasts
_LARGEST = 20 * 1024 * 1024  # bytes of one message; the services have lower limits of their own
_STOP_SECONDS = 1.0
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def unary(request: type[Any], call: Callable[[Any], Any]) -> grpc.RpcMethodHandler:
    """A method that takes one protobuf message and returns one. `call` may raise ApiError."""

    def behaviour(message: Any, context: grpc.ServicerContext) -> Any:
        with _Refusals(context):
            return call(message)

    return grpc.unary_unary_rpc_method_handler(
        behaviour, request_deserializer=request.FromString, response_serializer=_serialize
    )


def streaming(
    request: type[Any], call: Callable[[Iterator[Any], grpc.ServicerContext], Iterator[Any]]
) -> grpc.RpcMethodHandler:
    """A method with a stream of messages each way. `call` may raise ApiError."""

    def behaviour(messages: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        with _Refusals(context):
            yield from call(messages, context)

    return grpc.stream_stream_rpc_method_handler(
        behaviour, request_deserializer=request.FromString, response_serializer=_serialize
    )


class RpcServer:
    """Serves on loopback. `port` 0 takes a free one; `self.port` says which.

    Raises PortUnusable.
    """

    def __init__(self, handlers: Iterable[grpc.GenericRpcHandler], port: int) -> None:
        if port:
            listen(port).close()  # gRPC would write to our stderr that it is taken
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, thread_name_prefix="rpc"),
            handlers=tuple(handlers),
            options=[
                ("grpc.max_receive_message_length", _LARGEST),
                ("grpc.max_send_message_length", _LARGEST),
                ("grpc.so_reuseport", 0),
            ],
        )
        try:
            self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        except RuntimeError:
            raise PortUnusable(port, "gRPC cannot have it") from None

    def start(self) -> None:
        """Serve from now on, in threads."""
        self._server.start()

    def stop(self) -> None:
        """Stop when calls under way have ended, or soon."""
        self._server.stop(_STOP_SECONDS).wait()


class _Refusals:
    """A block in which ApiError, and what nobody foresaw, becomes the end of the call.

    An ApiError may have `status_details`: a serialized google.rpc.Status, for clients that read it.
    """

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ApiError):
            if details := getattr(error, "status_details", b""):
                self._context.set_trailing_metadata((("grpc-status-details-bin", details),))
            self._context.abort(_CODES[error.code.number], str(error))


def _serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
