// The widget of an explanation.
import { apply } from '../src/shared/explain/picture';
import { ExplainScreen } from '../src/shared/explain/screen';
import { analyst } from './analyst';

import './explain.css';

export default analyst('explain', apply, ExplainScreen, 'Kernel gone: the explanation is what was known last. Run the cell again for other rows, what-if and cohorts.');
