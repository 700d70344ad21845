"""Sends the bytes of a file as one message, as somebody does who has nothing but pika."""
import argparse

import pika

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("file")
parser.add_argument("--exchange", default="")
parser.add_argument("--routing-key", required=True)
parser.add_argument("--content-type")
parser.add_argument("--persistent", action="store_true")
arguments = parser.parse_args()

with open(arguments.file, "rb") as file:
    body = file.read()

connection = pika.BlockingConnection(pika.URLParameters(arguments.url))
channel = connection.channel()
# Without it, a message that reaches no queue is gone without a word.
channel.confirm_delivery()
channel.basic_publish(
    exchange=arguments.exchange,
    routing_key=arguments.routing_key,
    body=body,
    properties=pika.BasicProperties(
        content_type=arguments.content_type,
        delivery_mode=2 if arguments.persistent else None,
    ),
    mandatory=True,
)
connection.close()
