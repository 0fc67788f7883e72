// The dialog out of the way, while a cell is put right in the notebook.
import { useEffect, useRef } from 'react';
import type { Finding } from '../../api';
import { Button } from '../hooks';
import { said } from './finding';
import type { PromoteModel } from './model';

export function Aside({ model, finding }: { model: PromoteModel; finding: Finding }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { cell, line } = finding;
    if (cell !== null) {
      model.book.reveal(cell, line).catch(e => console.warn('The cell could not be shown.', e));
    }
  }, [finding, model]);
  const back = () => {
    model.aside = null;
    model.changed.emit();
    void model.go('check');
    void model.recheck();
  };
  return (
    <div className="aios-aside" role="region" aria-label="Promoting, set aside" ref={box} data-testid="aios-promote-aside">
      <div className="aios-aside-text">
        <b>{`Cell ${finding.cell}${finding.line ? `, line ${finding.line}` : ''}`}</b>
        <span>{` ${said(finding.message)}. ${said(finding.fix)}.`}</span>
      </div>
      <Button kind="primary" onClick={back}>
        Back to promoting
      </Button>
    </div>
  );
}
