"""What a camera and a radio send, served in this process: RTSP with G.711 sound, and HTTP with an endless WAV."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import socket
import struct
import threading
import time
from typing import Final

RATE: Final = 8000
_FRAME: Final = 160  # samples in 20 ms
# A radio begins with what it has kept of the last seconds, so that a player need not wait until it knows the format.
_KEPT_S: Final = 6.0
# A square wave of 1 kHz, loud, in u-law; the same in 16 bits.
_ULAW: Final = b"\x90" * 4 + b"\x10" * 4
_PCM: Final = struct.pack("<4h", *[15000] * 4) + struct.pack("<4h", *[-15000] * 4)
_SDP: Final = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n"
)


class StreamServer:
    """Serves everybody who connects, until it is told to freeze or to hang up."""

    def __init__(self, scheme: str) -> None:
        """Listen on a free port."""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"{scheme}://user:secret@127.0.0.1:{self._server.getsockname()[1]}/live"
        self.frozen = threading.Event()
        self.served = 0
        self._serve = self._rtsp if scheme == "rtsp" else self._http
        self._sockets: list[socket.socket] = []
        self._stopping = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def hang_up(self) -> None:
        """End every connection, and take new ones."""
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """End everything."""
        self._stopping = True
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(timeout=10)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._sockets.append(connection)
            self._threads.append(threading.Thread(target=self._guarded, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _guarded(self, connection: socket.socket) -> None:
        with suppress(OSError, IndexError), connection:
            self._serve(connection)

    def _pace(self, ahead_s: float = 0.0) -> Iterator[int]:
        begun = time.monotonic() - ahead_s
        number = 0
        while not self._stopping:
            while self.frozen.is_set() and not self._stopping:
                time.sleep(0.05)
            time.sleep(max(0.0, begun + number * _FRAME / RATE - time.monotonic()))
            yield number
            number += 1

    def _http(self, connection: socket.socket) -> None:
        connection.recv(65536)
        head = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n\r\n"
            b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", 16) + head + b"data\xff\xff\xff\xff"
        )
        self.served += 1
        for _ in self._pace(_KEPT_S):
            connection.sendall(_PCM * (_FRAME // 8))

    def _rtsp(self, connection: socket.socket) -> None:
        while True:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(4096)
                if not piece:
                    return
                request += piece
            lines = request.decode().split("\r\n")
            number = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("cseq"))
            method = lines[0].split()[0]
            body = _SDP if method == "DESCRIBE" else ""
            more = {
                "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
                "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n",
                "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
            }.get(method, "Session: 1\r\n")
            connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n{body}".encode())
            if method == "PLAY":
                break
        self.served += 1
        for packet in self._pace():
            rtp = struct.pack(">BBHII", 0x80, 0, packet % 65536, packet * _FRAME, 1) + _ULAW * (_FRAME // 8)
            connection.sendall(b"$\x00" + struct.pack(">H", len(rtp)) + rtp)


@contextmanager
def stream_server(scheme: str) -> Iterator[StreamServer]:
    """Serve streams of `rtsp` or `http`."""
    server = StreamServer(scheme)
    try:
        yield server
    finally:
        server.stop()
