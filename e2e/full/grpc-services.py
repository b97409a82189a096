# Health and reflection of a node as Python's gRPC finds them: python3 grpc-services.py HOST:PORT
import sys

import grpc
import health_pb2
import health_pb2_grpc
import reflection_pb2
import reflection_pb2_grpc
from google.protobuf import descriptor_pb2

channel = grpc.insecure_channel(sys.argv[1])
health = health_pb2_grpc.HealthStub(channel)
for name in ("", "coterie.v1.Kv", "coterie.v1.Cluster"):
    status = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status
    print("health", repr(name), health_pb2.HealthCheckResponse.ServingStatus.Name(status))
try:
    health.Check(health_pb2.HealthCheckRequest(service="nothing"), timeout=5)
except grpc.RpcError as error:
    print("health 'nothing'", error.code().name)
watch = health.Watch(health_pb2.HealthCheckRequest(service="coterie.v1.Kv"))
print("watch", health_pb2.HealthCheckResponse.ServingStatus.Name(next(watch).status))
watch.cancel()


def ask(**fields):
    request = reflection_pb2.ServerReflectionRequest(**fields)
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    return next(iter(stub.ServerReflectionInfo(iter([request]), timeout=5)))


for service in sorted(each.name for each in ask(list_services="").list_services_response.service):
    print("service", service)
found = ask(file_containing_symbol="coterie.v1.Kv.Pipe").file_descriptor_response
file = descriptor_pb2.FileDescriptorProto.FromString(found.file_descriptor_proto[0])
methods = [method.name for service in file.service for method in service.method]
print("file", file.name, " ".join(methods))
print("error", ask(file_by_filename="nowhere.proto").error_response.error_code)
