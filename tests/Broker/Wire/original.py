"""A client that knows nothing of nodes, with pika: sends as CovertLab's Sisyphus does, and reads dead letters."""
import argparse
import json
import sys

import pika


def send(channel, workflow):
    """Declares what the original declares, and sends each line of the input as a task."""
    channel.exchange_declare(exchange="sisyphus-exchange", exchange_type="direct")
    channel.queue_declare(queue=f"{workflow}-queue", durable=True)
    channel.queue_bind(queue=f"{workflow}-queue", exchange="sisyphus-exchange", routing_key=f"{workflow}-task")
    channel.confirm_delivery()
    for line in sys.stdin.buffer:
        channel.basic_publish(
            exchange="sisyphus-exchange",
            routing_key=f"{workflow}-task",
            body=line.rstrip(b"\n"),
            properties=pika.BasicProperties(content_type="text/plain", delivery_mode=2),
            mandatory=True,
        )


def letters(channel):
    """Takes the dead letters and prints one JSON object for each."""
    while True:
        method, properties, body = channel.basic_get("sisyphus.dead", auto_ack=True)
        if method is None:
            return
        headers = properties.headers
        print(json.dumps({
            "id": properties.message_id,
            "reason": headers["sisyphus-reason"],
            "message": headers["sisyphus-message"],
            "body": body.decode("utf-8", "replace"),
        }))


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("command", choices=["send", "letters"])
parser.add_argument("workflow", nargs="?", default="sisyphus")
arguments = parser.parse_args()
connection = pika.BlockingConnection(pika.URLParameters(arguments.url))
if arguments.command == "send":
    send(connection.channel(), arguments.workflow)
else:
    letters(connection.channel())
connection.close()
