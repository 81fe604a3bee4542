"""
A whole OpenStack Swift with its S3 interface in one process: `python3 object_store.py <folder>`.

Prints one line of JSON once it listens, `{"endpoint": "http://127.0.0.1:…"}`, and ends with its standard input. Bytes
lie below the folder. The account is `test:pictor`, its key `testing`, and nothing comes from /etc/swift.
"""
import json
import logging
import os
import sys

import eventlet
from swift.common import utils
from swift.common.ring import RingBuilder

utils.eventlet_monkey_patch()

FOLDER = os.path.abspath(sys.argv[1])
STORES = ('account', 'container', 'object')

SWIFT_CONF = """
[swift-hash]
swift_hash_path_suffix = test
swift_hash_path_prefix = test
[storage-policy:0]
name = only
default = yes
"""
DEFAULTS = f"""
[DEFAULT]
swift_dir = {FOLDER}
devices = {FOLDER}/devices
mount_check = false
log_level = ERROR
log_address = /dev/null
"""
STORE_CONF = """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
# Of a listing right after a write: the object server waits for the container's answer.
OBJECT_CONF = """
container_update_timeout = 20
"""
PROXY_CONF = """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
auth_pipeline_check = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_pictor = testing .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
"""


def write(name, text):
    path = os.path.join(FOLDER, name)
    with open(path, 'w') as file:
        file.write(text)
    return path


def write_ring(name, port):
    builder = RingBuilder(part_power=0, replicas=1, min_part_hours=0)
    builder.add_dev({
        'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': port, 'weight': 1, 'device': 'disk',
        'replication_ip': '127.0.0.1', 'replication_port': port,
    })
    builder.rebalance()
    builder.get_ring().save(os.path.join(FOLDER, f'{name}.ring.gz'))


def serve(conf_path, sock):
    # After swift.conf is written: these modules read it when they are loaded.
    from eventlet import wsgi
    from swift.common.wsgi import SwiftHttpProtocol, loadapp
    app = loadapp(conf_path)
    # S3 clients look for `ETag`, and not for `Etag`.
    kept = {'protocol': SwiftHttpProtocol, 'capitalize_response_headers': False}
    eventlet.spawn(wsgi.server, sock, app, utils.NullLogger(), **kept)


def main():
    logging.disable(logging.CRITICAL)
    os.makedirs(f'{FOLDER}/devices/disk')
    write('swift.conf', SWIFT_CONF)
    utils.set_swift_dir(FOLDER)
    sockets = {name: eventlet.listen(('127.0.0.1', 0)) for name in (*STORES, 'proxy')}
    for name in STORES:
        write_ring(name, sockets[name].getsockname()[1])
        conf = DEFAULTS + STORE_CONF.format(name=name) + (OBJECT_CONF if name == 'object' else '')
        serve(write(f'{name}.conf', conf), sockets[name])
    serve(write('proxy.conf', DEFAULTS + PROXY_CONF), sockets['proxy'])
    eventlet.sleep(0)
    print(json.dumps({'endpoint': f'http://127.0.0.1:{sockets["proxy"].getsockname()[1]}'}), flush=True)
    eventlet.tpool.execute(sys.stdin.read)


main()
