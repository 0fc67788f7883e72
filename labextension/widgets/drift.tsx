// The drift widget.
import { apply } from '../src/shared/drift/picture';
import { DriftScreen } from '../src/shared/drift/screen';
import { analyst } from './analyst';

import './drift.css';

export default analyst('drift', apply, DriftScreen, 'Kernel gone: the report is what was known last. Run the cell again for slices, rows and other thresholds.');
