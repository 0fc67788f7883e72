// A view that fails while it is drawn takes only itself away: the graph and the other pages stay.
import { Component, type ReactNode } from 'react';

import { Trouble } from './parts';

interface Props {
  /** What it is, for the message. */
  what: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) {
      return this.props.children;
    }
    const problem = {
      message: `${this.props.what} cannot be shown: ${error.message}`,
      hint: 'The run is not affected. The browser’s console has the details.',
      type: error.name
    };
    return <Trouble problem={problem} again={() => this.setState({ error: null })} />;
  }
}
