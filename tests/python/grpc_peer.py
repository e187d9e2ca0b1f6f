#!/usr/bin/env python3
"""Calls servers of Lango's with the usual Python packages of gRPC, and nothing of Lango's: what it knows of the protocol, the
servers' reflection says.

Usage: grpc_peer.py FOLDER. The folder holds `authority.pem`, `tls.pem`, `tls.key` and `calls.json`: a list of
{"address": HOST:PORT, "service": NAME, "calls": [{"name": .., "service": .., "method": .., "envelope": HEX}]}.
One JSON document is printed: for each server its services, their health, what a caller without a certificate gets, and what came
of each call.
"""
import json
import pathlib
import sys

import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from google.protobuf import descriptor_pool, json_format, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

PATIENCE_S = 30
DETAILS = {
    "google.rpc." + name: getattr(error_details_pb2, name)
    for name in ("ErrorInfo", "BadRequest", "QuotaFailure", "RetryInfo")
}


class Server:
    """A server and the protocol that it describes."""

    def __init__(self, channel):
        self.channel = channel
        self.described = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.described)

    def message(self, name):
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    def healthy(self, service):
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = health_pb2_grpc.HealthStub(self.channel).Check(request, timeout=PATIENCE_S)
            return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        except grpc.RpcError as error:
            return error.code().name

    def call(self, service, method, envelope):
        """Sends an envelope as it is, and returns what came of it."""
        described = self.pool.FindServiceByName(service).FindMethodByName(method)
        request = message_factory.GetMessageClass(described.input_type)()
        field = next(field for field in described.input_type.fields if field.message_type)
        assert field.message_type.full_name == "lango.v1.Envelope"
        getattr(request, field.name).MergeFromString(envelope)
        answer = message_factory.GetMessageClass(described.output_type)
        path = f"/{service}/{method}"
        shape = self.channel.unary_stream if described.server_streaming else self.channel.unary_unary
        call = shape(path, request_serializer=lambda it: it.SerializeToString(), response_deserializer=answer.FromString)
        try:
            came = call(request, timeout=PATIENCE_S)
            came = list(came) if described.server_streaming else [came]
            return {"code": "OK", "answers": [self.signed_in(answer) for answer in came]}
        except grpc.RpcError as error:
            return self.refusal(error)

    def refusal(self, error):
        """A status, with all that its details say."""
        found = {"code": error.code().name, "message": error.details(), "details": []}
        status = rpc_status.from_call(error)
        if status is None:
            return found
        assert status.code == error.code().value[0] and status.message == error.details()
        for detail in status.details:
            name = detail.type_url.rsplit("/", 1)[1]
            message = DETAILS[name]() if name in DETAILS else self.message(name)()
            assert detail.Unpack(message), name
            if name == "lango.v1.Envelope":
                found["signed"] = self.signed(message)
            else:
                found["details"].append({"type": name, **json_format.MessageToDict(message)})
        return found

    def signed_in(self, answer):
        """The envelope within an answer's first message, verified."""
        _, inner = answer.ListFields()[0]
        return self.signed(inner.envelope) if hasattr(inner, "envelope") else None

    def signed(self, envelope):
        """What an envelope says that its certificate's key has signed, by the encoding of DSSE."""
        kind = envelope.type.encode()
        encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(envelope.payload), envelope.payload)
        certificate = x509.load_der_x509_certificate(envelope.certificates[0])
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        try:
            certificate.public_key().verify(envelope.signature, encoded)
        except InvalidSignature:
            return None
        said = {"by": names.get_values_for_type(x509.UniformResourceIdentifier), "type": envelope.type}
        if envelope.type == "application/vnd.lango.refusal.v1":
            payload = self.message("lango.v1.RefusalPayload").FromString(envelope.payload)
            said["reason"] = payload.code
        return said


def main(folder):
    read = lambda name: (folder / name).read_bytes()
    authority = read("authority.pem")
    own = grpc.ssl_channel_credentials(authority, read("tls.key"), read("tls.pem"))
    nobody = grpc.ssl_channel_credentials(authority)
    found = []
    for server in json.loads(read("calls.json")):
        service = server["service"]
        with grpc.secure_channel(server["address"], nobody) as channel:
            stranger = Server(channel).healthy(service)
        with grpc.secure_channel(server["address"], own) as channel:
            peer = Server(channel)
            services = sorted(peer.described.get_services())
            health = {name: peer.healthy(name) for name in ["", "nothing", *services] if not name.startswith("grpc.")}
            calls = {
                call["name"]: peer.call(call["service"], call["method"], bytes.fromhex(call["envelope"]))
                for call in server["calls"]
            }
        found.append({"services": services, "health": health, "stranger": stranger, "calls": calls})
    json.dump(found, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
