// Is the kernel behind this widget still there? JupyterLab says so; other hosts are asked.
import type { Client } from './client';

interface Signal {
  connect(slot: () => void): void;
  disconnect(slot: () => void): void;
}
interface Kernel {
  status: string;
  connectionStatus: string;
  isDisposed: boolean;
  statusChanged: Signal;
  connectionStatusChanged: Signal;
  disposed: Signal;
}

const GONE = new Set(['dead', 'restarting', 'autorestarting', 'terminating']);
const SILENCE_SECONDS = 8;

/** Calls `tell(true)` when the kernel is lost, `tell(false)` when it is there. Returns the undo. */
export function watchKernel(manager: unknown, client: Client, tell: (lost: boolean) => void): () => void {
  const kernel = (manager as { kernel?: Kernel | null } | undefined)?.kernel;
  let over = false;
  let lostForGood = false;
  const set = (lost: boolean): void => {
    if (!over) {
      tell(lost);
    }
  };
  const look = (): void => {
    if (kernel) {
      // A restarted kernel knows nothing of this widget: it stays lost.
      lostForGood ||= GONE.has(kernel.status) || kernel.isDisposed;
      set(lostForGood || kernel.connectionStatus === 'disconnected');
    }
  };
  client.onAnswer = () => {
    if (!lostForGood) {
      set(false);
    }
  };
  if (kernel === null) {
    set(true);
  }
  kernel?.statusChanged.connect(look);
  kernel?.connectionStatusChanged.connect(look);
  kernel?.disposed.connect(look);

  // A widget read back from a saved notebook has nobody behind it, even while another kernel runs.
  const ask = (): void => {
    client.ask({ kind: 'hello' }, { seconds: SILENCE_SECONDS }).then(
      () => set(false),
      () => {
        if (kernel && (kernel.status === 'busy' || kernel.status === 'starting')) {
          ask(); // busy with a cell: it will answer later
        } else {
          set(true);
        }
      }
    );
  };
  ask();
  return () => {
    over = true;
    kernel?.statusChanged.disconnect(look);
    kernel?.connectionStatusChanged.disconnect(look);
    kernel?.disposed.disconnect(look);
  };
}
