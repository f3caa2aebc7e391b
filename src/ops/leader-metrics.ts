/**
 * Metrics of the leadership among instances, as this one knows it.
 *
 * Floor 4, room ops.
 */
import type { PrometheusContentType, Registry } from 'prom-client'
import { LEADER_ROWS } from '../model/metric.ts'
import type { ControlPlane } from './control-plane.ts'
import { addFamily, type Sample } from './prometheus.ts'

/** @param prefix before each name */
export function exposeLeadership(
  registry: Registry<PrometheusContentType>,
  control: Pick<ControlPlane, 'state'>,
  prefix = 'forecache_',
): void {
  const add = (row: keyof typeof LEADER_ROWS, read: () => number | undefined): void => {
    const { name, help } = LEADER_ROWS[row]
    addFamily(registry, { name: prefix + name, help, type: 'gauge' }, (): Sample[] => {
      const value = read()
      return value === undefined ? [] : [{ labels: {}, value }]
    })
  }
  add('isLeader', () => Number(control.state.leadership.isSelf))
  add('term', () => control.state.leadership.term)
  add('desired', () => control.state.decision?.desired)
}
