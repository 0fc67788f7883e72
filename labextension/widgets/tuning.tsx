// The tuning widget.
import { apply } from '../src/shared/tuning/picture';
import { TuningScreen } from '../src/shared/tuning/screen';
import { analyst } from './analyst';

import './tuning.css';

export default analyst('tuning', apply, TuningScreen, 'Kernel gone: this is what was known last. What was measured is kept: run the cell again to go on from it.');
