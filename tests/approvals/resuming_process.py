"""One of several processes that decide through a harness: for each approval named on stdin, a line that says how it went.

Arguments: the address of Redis, the folder of the workspace, who decides. It works on runs until stdin is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from harness_core import Harness, Seal, Store, WorkspaceHolder
from harness_core.errors import ApprovalAlreadyDecided


async def resume(harness: Harness, approval_id: str, by: str) -> dict[str, object]:
    try:
        result = await harness.resume(approval_id, decision="approve", decided_by=by)
    except ApprovalAlreadyDecided as error:
        return {"won": False, "decision": error.decision, "by": error.by, "at": error.at, "text": str(error)}
    return {"won": True, "by": by, "state": result.state.value, "output": result.output}


async def main(url: str, folder: str, by: str) -> None:
    store = await Store.open(url, seal=Seal(b"k" * 32))
    async with Harness(
        store, WorkspaceHolder(Path(folder), {}), seal=Seal(b"k" * 32), tenant="T1"
    ) as harness:
        print("ready", flush=True)
        while approval_id := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(json.dumps(await resume(harness, approval_id, by)), flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
