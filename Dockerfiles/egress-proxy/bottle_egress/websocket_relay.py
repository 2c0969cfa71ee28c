"""A WebSocket whose messages are relayed frame by frame and never held."""

from __future__ import annotations

from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import websocket
from wsproto import events as frames


class RelayedWebSocket(websocket.WebsocketLayer):
    """A WebSocket that passes each piece of a message on at once; stock code collects whole messages."""

    def relay_messages(self, event):
        source, target = self.client_ws, self.server_ws
        if event.connection != self.context.client:
            source, target = target, source
        source.receive_data(event.data if isinstance(event, events.DataReceived) else None)
        for frame in source.events():
            if isinstance(frame, frames.Message):
                if frame.data or frame.message_finished:
                    yield target.send2(type(frame)(data=frame.data, message_finished=frame.message_finished))
            elif isinstance(frame, frames.Ping | frames.Pong):
                yield target.send2(frame)
            else:
                for end in (self.server_ws, self.client_ws):
                    if end.state in (websocket.ConnectionState.OPEN, websocket.ConnectionState.REMOTE_CLOSING):
                        yield end.send2(frame)
                    yield commands.CloseConnection(end.conn)
                self.flow.live = False
                self._handle_event = self.done
                return
